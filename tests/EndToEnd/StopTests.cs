using Lab.EndToEnd.Cluster;
using Lab.Testing;

namespace Lab.EndToEnd;

/// <summary>However the cluster ends, nothing of it stays.</summary>
public sealed class StopTests
{
    [Theory]
    [InlineData(ChildProcess.Interrupt)]
    [InlineData(ChildProcess.Terminate)]
    [InlineData(ChildProcess.Kill)]
    public async Task AppHost_EndedBySignal_LeavesNoProcess(int signal)
    {
        await using var cluster = await RunningCluster.StartAsync(workers: 2);
        Assert.True(cluster.Processes.All().Count >= 4);
        cluster.Signal(signal);
        await cluster.UntilEndedAsync();
        await cluster.UntilNothingIsLeftAsync();
    }
}
