using System.Globalization;
using Google.Protobuf;
using Lab.AppHost.LocalHost.Otlp.Wire;

namespace Lab.AppHost.LocalHost.Otlp;

/// <summary>Turns OTLP's messages into what the dashboard keeps. Long texts are cut, so that what is kept has a bound.</summary>
internal static class OtlpReader
{
    private const int LongestText = 2000;
    private const int MostAttributes = 64;
    private const int Error = 2;
    private const int Delta = 1;

    /// <exception cref="InvalidProtocolBufferException">The bytes are no such request.</exception>
    public static IEnumerable<Span> Spans(byte[] request)
        => from resource in ExportTraceServiceRequest.Parser.ParseFrom(request).ResourceSpans
           let sender = SenderOf(resource.Resource)
           from scope in resource.ScopeSpans
           from span in scope.Spans
           select new Span(
               sender, scope.Scope?.Name ?? "", Hex(span.TraceId), Hex(span.SpanId), Hex(span.ParentSpanId), Cut(span.Name), (SpanKind)span.Kind,
               (long)span.StartTimeUnixNano, (long)span.EndTimeUnixNano, span.Status?.Code == Error, Cut(span.Status?.Message ?? ""), Attributes(span.Attributes),
               [.. span.Events.Take(MostAttributes).Select(one => new SpanEvent((long)one.TimeUnixNano, Cut(one.Name), Attributes(one.Attributes)))],
               [.. span.Links.Take(MostAttributes).Select(link => new SpanLink(Hex(link.TraceId), Hex(link.SpanId)))]);

    /// <exception cref="InvalidProtocolBufferException">The bytes are no such request.</exception>
    public static IEnumerable<LogEntry> Logs(byte[] request)
        => from resource in ExportLogsServiceRequest.Parser.ParseFrom(request).ResourceLogs
           let sender = SenderOf(resource.Resource)
           from scope in resource.ScopeLogs
           from entry in scope.LogRecords
           select new LogEntry(
               sender, scope.Scope?.Name ?? "", (long)entry.TimeUnixNano, entry.SeverityNumber, entry.SeverityText, Text(entry.Body),
               Hex(entry.TraceId), Hex(entry.SpanId), Attributes(entry.Attributes));

    /// <exception cref="InvalidProtocolBufferException">The bytes are no such request.</exception>
    public static IEnumerable<Measurement> Metrics(byte[] request)
        => from resource in ExportMetricsServiceRequest.Parser.ParseFrom(request).ResourceMetrics
           let sender = SenderOf(resource.Resource)
           from scope in resource.ScopeMetrics
           from metric in scope.Metrics
           let name = new InstrumentName(sender.Name, scope.Scope?.Name ?? "", Cut(metric.Name))
           from measurement in Measurements(metric, name)
           select measurement;

    private static IEnumerable<Measurement> Measurements(Metric metric, InstrumentName name) => metric.DataCase switch
    {
        Metric.DataOneofCase.Gauge => metric.Gauge.DataPoints.Select(point => Gauge(metric, name, point)),
        Metric.DataOneofCase.Sum when !metric.Sum.IsMonotonic => metric.Sum.DataPoints.Select(point => Gauge(metric, name, point)),
        Metric.DataOneofCase.Sum => metric.Sum.DataPoints.Select(point => new Measurement(
            name, metric.Description, metric.Unit, InstrumentKind.Counter, Line(point.Attributes), (long)point.TimeUnixNano,
            Number(point), 0, metric.Sum.AggregationTemporality == Delta)),
        Metric.DataOneofCase.Histogram => metric.Histogram.DataPoints.Select(point => new Measurement(
            name, metric.Description, metric.Unit, InstrumentKind.Histogram, Line(point.Attributes), (long)point.TimeUnixNano,
            point.Count, point.Sum, metric.Histogram.AggregationTemporality == Delta)),
        _ => [],
    };

    private static Measurement Gauge(Metric metric, InstrumentName name, NumberDataPoint point) => new(
        name, metric.Description, metric.Unit, InstrumentKind.Gauge, Line(point.Attributes), (long)point.TimeUnixNano, 0, Number(point), IsDelta: false);

    private static double Number(NumberDataPoint point) => point.ValueCase is NumberDataPoint.ValueOneofCase.AsInt ? point.AsInt : point.AsDouble;

    private static Sender SenderOf(Resource? resource)
    {
        string Value(string key) => Text(resource?.Attributes.FirstOrDefault(attribute => attribute.Key == key)?.Value);
        return new(Value("service.name"), Value("service.instance.id"), Value("host.name"));
    }

    private static IReadOnlyList<KeyValuePair<string, string>> Attributes(IEnumerable<KeyValue> attributes)
        => [.. attributes.Take(MostAttributes).Select(attribute => KeyValuePair.Create(Cut(attribute.Key), Text(attribute.Value)))];

    private static string Line(IEnumerable<KeyValue> attributes)
        => string.Join(", ", Attributes(attributes).OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={one.Value}"));

    private static string Text(AnyValue? value) => Cut(value?.ValueCase switch
    {
        AnyValue.ValueOneofCase.StringValue => value.StringValue,
        AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(CultureInfo.InvariantCulture),
        AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(CultureInfo.InvariantCulture),
        AnyValue.ValueOneofCase.ArrayValue => string.Join(", ", value.ArrayValue.Values.Take(MostAttributes).Select(Text)),
        _ => "",
    });

    private static string Hex(ByteString bytes) => Convert.ToHexStringLower(bytes.Span[..Math.Min(bytes.Length, 16)]);

    private static string Cut(string text) => text.Length > LongestText ? text[..LongestText] + " …" : text;
}
