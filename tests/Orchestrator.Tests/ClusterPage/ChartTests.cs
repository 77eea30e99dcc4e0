using Lab.Orchestrator.ClusterPage.Live;

namespace Lab.Orchestrator.Tests.ClusterPage;

public sealed class ChartTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(1.1, 2)]
    [InlineData(4.9, 5)]
    [InlineData(51, 100)]
    [InlineData(1700, 2000)]
    [InlineData(0.03, 0.05)]
    public void RoundUp_IsTheNextOneTwoOrFive(double value, double expected) => Assert.Equal(expected, Chart.RoundUp(value), tolerance: 1e-9);

    [Fact]
    public void Of_EqualNeighbours_AreOneStep()
    {
        var chart = Draw(0, 5, 5, 10);
        var series = Assert.Single(chart.Series);
        Assert.Equal(10, chart.Top);
        Assert.Equal("M296 100H297V50H299V0H300", series.Line);
        Assert.Equal("M296 100V100H297V50H299V0H300V100Z", series.Area);
    }

    [Fact]
    public void Of_SecondsWithoutValue_AreGaps()
    {
        var series = Assert.Single(Draw(10, null, null, 5, null).Series);
        Assert.Equal("M295 0H296M298 50H299", series.Line);
        Assert.Equal("M295 100V0H296V100ZM298 100V50H299V100Z", series.Area);
    }

    [Fact]
    public void Of_NoSamples_IsEmpty()
    {
        var chart = Draw();
        Assert.Equal(("", "", 0), (chart.Series[0].Line, chart.Series[0].Area, chart.Peak));
        Assert.Equal(5, chart.Top);
    }

    private static Chart Draw(params double?[] values) => Chart.Of(
        [.. values.Select(value => new Sample(0, 0, 0, value, null, null))], minTop: 5, ("queue", sample => sample.QueueMs, true));
}
