using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.7)]
    [InlineData(1)]
    [InlineData(17.3)]
    [InlineData(999)]
    [InlineData(60_000)]
    public void Percentile_OfOneTime_IsThatTimeWithinASixteenth(double milliseconds)
    {
        var histogram = new LatencyHistogram();
        var before = histogram.Copy();
        histogram.Add(milliseconds);
        Assert.Equal(1, LatencyHistogram.Percentile(before, histogram.Copy(), 0.5)!.Value / milliseconds, tolerance: 0.0626);
    }

    [Fact]
    public void Percentile_OfManyTimes_IsOfThoseBetweenTheCopies()
    {
        var histogram = new LatencyHistogram();
        for (var i = 0; i < 1000; i++) histogram.Add(5000);
        var before = histogram.Copy();
        for (var i = 1; i <= 100; i++) histogram.Add(i);
        var after = histogram.Copy();
        Assert.Equal(50, LatencyHistogram.Percentile(before, after, 0.5)!.Value, tolerance: 4);
        Assert.Equal(95, LatencyHistogram.Percentile(before, after, 0.95)!.Value, tolerance: 7);
        Assert.Equal(100, LatencyHistogram.Percentile(before, after, 1)!.Value, tolerance: 7);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1e-9)]
    [InlineData(1e12)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Add_OutsideTheScale_CountsAtItsEnds(double milliseconds)
    {
        var histogram = new LatencyHistogram();
        var before = histogram.Copy();
        histogram.Add(milliseconds);
        Assert.NotNull(LatencyHistogram.Percentile(before, histogram.Copy(), 0.5));
    }

    [Fact]
    public void Percentile_OfNothing_IsNone()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(3);
        Assert.Null(LatencyHistogram.Percentile(histogram.Copy(), histogram.Copy(), 0.5));
    }
}
