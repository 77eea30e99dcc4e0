using Lab.AppHost.LocalHost.Dashboard;
using Lab.AppHost.LocalHost.Otlp;
using Lab.AppHost.Tests.LocalHost.Otlp;
using Wire = Lab.AppHost.LocalHost.Otlp.Wire;

namespace Lab.AppHost.Tests.LocalHost.Dashboard;

public sealed class WaterfallTests
{
    [Fact]
    public void Of_TreeOfSpans_ChildrenFollowTheirParents()
    {
        var rows = Rows(
            Sample.Span("01", "", 0, 1000), Sample.Span("02", "01", 100, 200), Sample.Span("03", "01", 250, 750), Sample.Span("04", "02", 120, 150));

        Assert.Equal([("01", 0), ("02", 1), ("04", 2), ("03", 1)], rows.Select(row => (row.Span.Id, row.Depth)));
        Assert.Equal((25, 50), (rows[3].Left, rows[3].Width));
    }

    [Fact]
    public void Of_ParentElsewhereOrCircle_IsShownAllTheSame()
    {
        var rows = Rows(Sample.Span("01", "77", 0, 10), Sample.Span("02", "03", 1, 10), Sample.Span("03", "02", 2, 10), Sample.Span("04", "04", 3, 10));

        Assert.Equal(["01", "02", "03", "04"], rows.Select(row => row.Span.Id).Order());
        Assert.Equal(0, rows[0].Depth);
    }

    [Fact]
    public void Of_SpanWithoutLength_CanBeSeenWithinTheWindow()
    {
        var rows = Rows(Sample.Span("01", "", 0, 1000), Sample.Span("02", "01", 1000, 1000));

        Assert.InRange(rows[1].Width, 0.1, 1);
        Assert.InRange(rows[1].Left + rows[1].Width, 99, 100);
    }

    private static IReadOnlyList<WaterfallRow> Rows(params Wire.Span[] spans)
    {
        var store = new TraceStore();
        store.Add(OtlpReader.Spans(Sample.Traces("a", spans)));
        return Waterfall.Of(store.Find(Sample.TraceId)!);
    }
}
