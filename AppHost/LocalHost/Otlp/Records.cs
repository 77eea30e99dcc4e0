namespace Lab.AppHost.LocalHost.Otlp;

/// <summary>Who sent something: OpenTelemetry's resource attributes <c>service.name</c>, <c>service.instance.id</c> and <c>host.name</c>.</summary>
internal sealed record Sender(string Name, string Instance, string Host);

/// <summary>One piece of work. Times are nanoseconds since 1970, ids lower-case hexadecimal.</summary>
internal sealed record Span(
    Sender Sender, string Scope, string TraceId, string Id, string ParentId, string Name, SpanKind Kind, long Start, long End, bool HasFailed,
    string Message, IReadOnlyList<KeyValuePair<string, string>> Attributes, IReadOnlyList<SpanEvent> Events, IReadOnlyList<SpanLink> Links);

/// <summary>The side of a call that a span is; the numbers are OTLP's.</summary>
internal enum SpanKind
{
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// <summary>Something that happened during a span.</summary>
internal sealed record SpanEvent(long At, string Name, IReadOnlyList<KeyValuePair<string, string>> Attributes);

/// <summary>A span that another one has to do with without being its child.</summary>
internal sealed record SpanLink(string TraceId, string SpanId);

/// <summary>A log record. Severity is OTLP's number: from 13 a warning, from 17 an error.</summary>
internal sealed record LogEntry(
    Sender Sender, string Category, long At, int Severity, string Level, string Text, string TraceId, string SpanId,
    IReadOnlyList<KeyValuePair<string, string>> Attributes);

/// <summary>A trace at one moment.</summary>
/// <param name="Id">32 hexadecimal digits.</param>
/// <param name="Spans">In the order of their starts; at least one.</param>
/// <param name="Logs">In the order of their times.</param>
/// <param name="LinkedFrom">Spans of other traces with links to this one: a batch that carried this request, too.</param>
internal sealed record Trace(string Id, IReadOnlyList<Span> Spans, IReadOnlyList<LogEntry> Logs, IReadOnlyList<Span> LinkedFrom)
{
    /// <summary>The first span that has no parent here, or the first of all.</summary>
    public Span Root => Spans.FirstOrDefault(span => span.ParentId.Length == 0) ?? Spans[0];

    public long Start => Spans[0].Start;

    public TimeSpan Duration => Times.Between(Start, Spans.Max(span => span.End));

    public int Errors => Spans.Count(span => span.HasFailed);
}
