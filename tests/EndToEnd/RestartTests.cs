using Aspire.Hosting.ApplicationModel;
using Lab.EndToEnd.Cluster;

namespace Lab.EndToEnd;

/// <summary>What becomes of a service that ends by itself, and of one that a person ends.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task Service_KilledOrStopped_ReturnsUnlessAPersonStoppedIt()
    {
        await using var cluster = await HostedCluster.StartAsync(workers: 2);
        var address = (await cluster.GetWorkersAsync())["worker-2"].Port;

        // Stopped by a person.
        Assert.True((await cluster.RunAsync("worker-1", KnownResourceCommands.StopCommand)).Success);
        Assert.Equal(KnownResourceStates.Finished, cluster.StateOf("worker-1"));

        // Killed, both of the rest: they return at the same addresses, and say what happened.
        foreach (var service in (string[])["worker-2", "orchestrator"])
        {
            var old = cluster.PidOf(service);
            MarkedProcesses.Signal(old, MarkedProcesses.Kill);
            await cluster.UntilAsync(() => Task.FromResult(cluster.StateOf(service) == KnownResourceStates.Running && cluster.PidOf(service) != old), $"new {service}");
            Assert.Contains(await cluster.LogOfAsync(service), line => line.Contains($"{service} has ended with exit code -1 and is started again in 1 s", StringComparison.Ordinal));
            Assert.Equal("1", cluster.Snapshot(service).Properties.Single(property => property.Name == "Restarts").Value?.ToString());
        }

        await cluster.UntilFreeAsync(1);
        Assert.Equal(address, (await cluster.GetWorkersAsync())["worker-2"].Port);
        Assert.Equal("worker-2", (await cluster.AskAsync("I am back")).Worker);
        Assert.Equal(KnownResourceStates.Finished, cluster.StateOf("worker-1"));

        // A person starts what a person stopped.
        Assert.True((await cluster.RunAsync("worker-1", KnownResourceCommands.StartCommand)).Success);
        await cluster.UntilFreeAsync(2);
    }

    [Fact]
    public async Task Commands_OfAppHost_DoWhatTheySay()
    {
        await using var cluster = await HostedCluster.StartAsync(workers: 2);

        Assert.True((await cluster.RunAsync("worker-1", "drain")).Success);
        Assert.Equal("draining", (await cluster.GetWorkersAsync())["worker-1"].Status);
        Assert.True((await cluster.RunAsync("worker-1", "resume")).Success);
        await cluster.UntilFreeAsync(2);
        var burst = await cluster.RunAsync("orchestrator", "burst");
        Assert.Equal("200 requests answered: 200 × 200", burst.Message);
        Assert.Equal(200, (await cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed));
    }
}
