using Lab.EndToEnd.Cluster;

namespace Lab.EndToEnd;

/// <summary>However the cluster ends, nothing of it stays.</summary>
public sealed class StopTests
{
    [Theory]
    [InlineData(MarkedProcesses.Interrupt)]
    [InlineData(MarkedProcesses.Terminate)]
    [InlineData(MarkedProcesses.Kill)]
    public async Task AppHost_EndedBySignal_LeavesNoProcess(int signal)
    {
        await using var cluster = await RunningCluster.StartAsync(workers: 2);
        Assert.True(cluster.Processes.All().Count >= 4);
        MarkedProcesses.Signal(cluster.Pid, signal);
        await cluster.UntilEndedAsync();
        await cluster.UntilNothingIsLeftAsync();
    }
}
