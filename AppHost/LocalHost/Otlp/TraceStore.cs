namespace Lab.AppHost.LocalHost.Otlp;

/// <summary>The latest traces with their log records. The oldest go when there are too many traces or spans.</summary>
internal sealed class TraceStore
{
    private const int MostTraces = 2000;
    private const int MostSpans = 30_000;
    private const int MostSpansOfATrace = 500;
    private const int MostLogsOfATrace = 200;
    private const int MostLinksOfATrace = 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Parts> _traces = [];
    private readonly Queue<string> _order = new();
    private int _spans;

    /// <summary>Grows with everything that is added.</summary>
    public long Version { get; private set; }

    public void Add(IEnumerable<Span> spans)
    {
        lock (_gate)
        {
            foreach (var span in spans)
            {
                Version++;
                var parts = PartsOf(span.TraceId);
                if (parts.Spans.Count < MostSpansOfATrace)
                {
                    parts.Spans.Add(span);
                    _spans++;
                }

                foreach (var other in span.Links.Select(link => link.TraceId).Distinct().Where(id => id != span.TraceId))
                    if (PartsOf(other) is { LinkedFrom.Count: < MostLinksOfATrace } linked)
                        linked.LinkedFrom.Add(span);
            }
        }
    }

    public void Add(IEnumerable<LogEntry> entries)
    {
        lock (_gate)
        {
            foreach (var entry in entries.Where(entry => entry.TraceId.Length > 0))
            {
                Version++;
                if (PartsOf(entry.TraceId) is { Logs.Count: < MostLogsOfATrace } parts)
                    parts.Logs.Add(entry);
            }
        }
    }

    /// <summary>One trace, or null if it is not, or no longer, here.</summary>
    public Trace? Find(string id)
    {
        lock (_gate)
            return _traces.GetValueOrDefault(id) is { Spans.Count: > 0 } parts ? parts.ToTrace(id) : null;
    }

    /// <summary>The latest traces that fit, the newest first.</summary>
    /// <param name="text">What a span's name, service or attributes, or the trace's id, must contain; case does not matter.</param>
    /// <param name="onlyErrors">Whether one of the spans must have failed.</param>
    /// <param name="most">How many at most.</param>
    public IReadOnlyList<Trace> Latest(string text, bool onlyErrors, int most)
    {
        lock (_gate)
            return [.. _order.Reverse().Select(id => (Id: id, Parts: _traces[id]))
                .Where(one => one.Parts.Spans.Count > 0
                    && (!onlyErrors || one.Parts.Spans.Exists(span => span.HasFailed))
                    && (text.Length == 0 || one.Id.Contains(text, StringComparison.OrdinalIgnoreCase) || one.Parts.Spans.Exists(span => Contains(span, text))))
                .Take(most)
                .Select(one => one.Parts.ToTrace(one.Id))
                .OrderByDescending(trace => trace.Start)];
    }

    private static bool Contains(Span span, string text)
        => span.Name.Contains(text, StringComparison.OrdinalIgnoreCase)
            || span.Sender.Name.Contains(text, StringComparison.OrdinalIgnoreCase)
            || span.Attributes.Any(attribute => $"{attribute.Key}={attribute.Value}".Contains(text, StringComparison.OrdinalIgnoreCase));

    private Parts PartsOf(string id)
    {
        if (_traces.TryGetValue(id, out var parts))
            return parts;
        while (_order.Count >= MostTraces || (_spans >= MostSpans && _order.Count > 0))
            if (_traces.Remove(_order.Dequeue(), out var oldest))
                _spans -= oldest.Spans.Count;
        _order.Enqueue(id);
        return _traces[id] = new();
    }

    private sealed class Parts
    {
        public List<Span> Spans { get; } = [];

        public List<LogEntry> Logs { get; } = [];

        public List<Span> LinkedFrom { get; } = [];

        public Trace ToTrace(string id) => new(id, [.. Spans.OrderBy(span => span.Start)], [.. Logs.OrderBy(entry => entry.At)], [.. LinkedFrom]);
    }
}
