using Lab.EndToEnd.Cluster;
using Lab.Testing;

namespace Lab.EndToEnd;

/// <summary>However the cluster ends, nothing of it stays.</summary>
public sealed class StopTests
{
    private static readonly int[] Signals = [ChildProcess.Interrupt, ChildProcess.Terminate, ChildProcess.Kill];

    // Side by side: each mostly waits for the others' processes to start and to end.
    [Fact]
    public Task AppHost_EndedByAnySignal_LeavesNoProcess() => Task.WhenAll(Signals.Select(async signal =>
    {
        await using var cluster = await RunningCluster.StartAsync(workers: 2);
        Assert.True(cluster.Processes.All().Count >= 4);
        cluster.Signal(signal);
        await cluster.UntilEndedAsync();
        await cluster.UntilNothingIsLeftAsync();
    }));
}
