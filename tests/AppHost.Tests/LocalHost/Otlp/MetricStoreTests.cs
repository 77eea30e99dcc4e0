using Lab.AppHost.LocalHost.Otlp;

namespace Lab.AppHost.Tests.LocalHost.Otlp;

public sealed class MetricStoreTests
{
    private const long Second = 1_000_000_000;

    private readonly MetricStore _store = new();

    [Fact]
    public void Add_CounterThatIsStartedAnew_ShowsWhatComesInASecond()
    {
        Count(1, 100);
        Count(2, 150);
        Count(4, 250);
        // The process was started again.
        Count(5, 20);
        Count(6, 30);

        var series = Series();

        Assert.Equal([50, 50, 10], series.Points.Select(point => point.Value));
        Assert.Equal((30, 10), (series.Total, series.Last));
    }

    [Fact]
    public void Add_Histogram_ShowsTheMeanOfEachInterval()
    {
        Add(InstrumentKind.Histogram, 1, count: 2, value: 4);
        Add(InstrumentKind.Histogram, 2, count: 2, value: 4);
        Add(InstrumentKind.Histogram, 3, count: 4, value: 24);

        Assert.Equal([2, 10], Series().Points.Select(point => point.Value));
    }

    [Fact]
    public void Add_DeltaCounter_IsSummedUp()
    {
        Add(InstrumentKind.Counter, 1, count: 5, isDelta: true);
        Add(InstrumentKind.Counter, 2, count: 7, isDelta: true);

        Assert.Equal((12, 7), (Series().Total, Series().Last));
    }

    [Fact]
    public void Add_ManyPoints_KeepsTheLast()
    {
        for (var i = 0; i < 1_000; i++)
            Add(InstrumentKind.Gauge, i, value: i);

        Assert.Equal((300, 700), (Series().Points.Count, (int)Series().Points[0].Value));
    }

    [Fact]
    public void Add_NewSeriesWithoutEnd_AreIgnoredInTheEnd()
    {
        for (var i = 0; i < 5_000; i++)
            Add(InstrumentKind.Gauge, 1, value: 1, attributes: $"id={i}");

        Assert.Equal(3_000, Assert.Single(_store.Of("worker-1", "")).Series.Count);
    }

    [Fact]
    public void Of_OwnMetersAndOthers_OwnComeFirst()
    {
        Add(InstrumentKind.Gauge, 1, scope: "A.Runtime");
        Add(InstrumentKind.Gauge, 1, scope: "Lab.Worker");

        Assert.Equal(["Lab.Worker", "A.Runtime"], _store.Of("worker-1", "").Select(one => one.Name.Scope));
        Assert.Equal("Lab.Worker", Assert.Single(_store.Of("worker-1", "lab.WORKER")).Name.Scope);
        Assert.Empty(_store.Of("worker-2", ""));
        Assert.Equal(["worker-1"], _store.Services());
    }

    private SeriesView Series() => Assert.Single(Assert.Single(_store.Of("worker-1", "")).Series);

    private void Count(int second, double count) => Add(InstrumentKind.Counter, second, count);

    private void Add(
        InstrumentKind kind, int second, double count = 0, double value = 0, bool isDelta = false, string scope = "Lab.Worker", string attributes = "")
        => _store.Add([new(new("worker-1", scope, "instrument"), "", "", kind, attributes, second * Second, count, value, isDelta)]);
}
