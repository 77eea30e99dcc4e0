using Lab.AppHost.LocalHost.Otlp;

namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>A span's line in the waterfall.</summary>
/// <param name="Span">The span.</param>
/// <param name="Depth">How many spans it is within.</param>
/// <param name="Left">Where its bar begins, in per cent of the trace's time.</param>
/// <param name="Width">How long its bar is, likewise.</param>
internal sealed record WaterfallRow(Span Span, int Depth, double Left, double Width);

/// <summary>Lays out a trace: each span below its parent, in the order of their starts.</summary>
internal static class Waterfall
{
    private const double LeastWidth = 0.3;

    public static IReadOnlyList<WaterfallRow> Of(Trace trace)
    {
        var (start, end) = (trace.Start, trace.Spans.Max(span => span.End));
        var length = Math.Max(end - start, 1);
        var known = trace.Spans.Select(span => span.Id).ToHashSet();
        var children = trace.Spans.ToLookup(span => known.Contains(span.ParentId) && span.ParentId != span.Id ? span.ParentId : "");
        var rows = new List<WaterfallRow>(trace.Spans.Count);
        var seen = new HashSet<Span>();
        // A span whose parent is not here, or only within a circle, begins a tree of its own.
        foreach (var span in children[""].Concat(trace.Spans))
            Add(span, 0);
        return rows;

        void Add(Span span, int depth)
        {
            if (!seen.Add(span))
                return;
            var left = Math.Min(100.0 * (span.Start - start) / length, 100 - LeastWidth);
            rows.Add(new(span, depth, left, Math.Min(Math.Max(100.0 * (span.End - span.Start) / length, LeastWidth), 100 - left)));
            foreach (var child in children[span.Id])
                Add(child, depth + 1);
        }
    }
}
