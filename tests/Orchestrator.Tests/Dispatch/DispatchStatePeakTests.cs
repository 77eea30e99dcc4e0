namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>How many requests have waited at once, for who looks once a second.</summary>
public sealed class DispatchStatePeakTests
{
    [Fact]
    public void TakeMostQueued_ABurst_IsToldOnceAndThoughItIsOver()
    {
        var bench = new DispatchBench(workers: 1);
        for (var i = 0; i < 128; i++) bench.Submit();
        for (var sent = 0; sent < bench.Sent.Count; sent++) bench.Answer(bench.Sent[sent]);
        Assert.Equal(0, bench.State.Queued);
        Assert.Equal(127, bench.State.TakeMostQueued());
        Assert.Equal(0, bench.State.TakeMostQueued());
        // Who finds a free worker does not wait.
        bench.Submit();
        Assert.Equal(0, bench.State.TakeMostQueued());
    }
}
