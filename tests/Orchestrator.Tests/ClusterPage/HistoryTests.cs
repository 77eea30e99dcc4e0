using Lab.Orchestrator.ClusterPage.Live;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.ClusterPage;

public sealed class HistoryTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Add_TwoSnapshots_IsWhatHappenedBetweenThem()
    {
        var history = new History();
        history.Add(Snapshot(queued: 0, answered: 1000, failed: 50), Second);
        // Seven waited at once, and none any more when the second ended.
        history.Add(Snapshot(queued: 7, answered: 1300, failed: 52), TimeSpan.FromSeconds(2));
        var sample = Assert.Single(history.ToArray());
        Assert.Equal((7, 150, 1), (sample.Queued, sample.Answered, sample.Failed));
        Assert.Null(sample.InferenceMs);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(History.Length)]
    [InlineData((2 * History.Length) + 11)]
    [InlineData((5 * History.Length) + 1)]
    public void ToArray_Always_IsTheLastSecondsOldestFirst(int seconds)
    {
        var history = new History();
        for (var i = 0; i <= seconds; i++) history.Add(Snapshot(queued: i, answered: i, failed: 0), Second);
        var kept = Math.Min(seconds, History.Length);
        Assert.Equal(Enumerable.Range(seconds - kept + 1, kept), history.ToArray().Select(sample => sample.Queued));
    }

    private static FleetSnapshot Snapshot(int queued, long answered, long failed)
    {
        var none = new LatencyHistogram().Copy();
        return new(0, 0, queued, new(answered + failed, answered, failed, none, none, none), [], 0, null);
    }
}
