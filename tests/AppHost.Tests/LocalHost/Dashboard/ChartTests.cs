using Lab.AppHost.LocalHost.Dashboard;
using Lab.AppHost.LocalHost.Otlp;

namespace Lab.AppHost.Tests.LocalHost.Dashboard;

public sealed class ChartTests
{
    [Fact]
    public void Path_PointsWithinTheTime_GoFromLeftToRight()
        => Assert.Equal("M0 60L150 30L300 0", Chart.Path([new(-50, 1), new(0, 0), new(50, 5), new(100, 10)], 0, 100, 10));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.3, 0.5)]
    [InlineData(7, 10)]
    [InlineData(100, 100)]
    [InlineData(130, 200)]
    public void Top_Values_IsTheNextRoundNumber(double most, double top)
        => Assert.Equal(top, Chart.Top([new SeriesView("", 0, most, [new(0, most)])]), tolerance: 1e-9);

    [Theory]
    [InlineData(0.0123, "s", "12.3 ms")]
    [InlineData(0.0000042, "s", "4.20 µs")]
    [InlineData(4_560_000, "By", "4.56 MB")]
    [InlineData(12345, "{request}", "12,345")]
    [InlineData(0, "1", "0")]
    public void Value_Unit_IsReadable(double value, string unit, string text) => Assert.Equal(text, Chart.Value(value, unit));

    [Theory]
    [InlineData("a worker, a Worker", "WORKER", "a |[worker]|, a |[Worker]")]
    [InlineData("plain", "", "plain")]
    [InlineData("none", "x", "none")]
    public void Split_Search_MarksWhatIsFound(string text, string wanted, string expected)
        => Assert.Equal(expected, string.Join('|', Search.Split(text, wanted).Select(part => part.IsFound ? $"[{part.Part}]" : part.Part)));
}
