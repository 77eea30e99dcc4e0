using Aspire.Hosting.ApplicationModel;
using Lab.EndToEnd.Cluster;
using Lab.Testing;

namespace Lab.EndToEnd;

/// <summary>What AppHost does with its resources: those that end by themselves, those that a person ends, and their commands.</summary>
public sealed class ResourceTests(ResourceTests.Fixture fixture) : IClassFixture<ResourceTests.Fixture>
{
    [Fact]
    public async Task Service_KilledOrStopped_ReturnsUnlessAPersonStoppedIt()
    {
        var cluster = fixture.Cluster;
        var address = (await cluster.GetWorkersAsync())["worker-2"].Port;

        // Stopped by a person.
        Assert.True((await cluster.RunAsync("worker-1", KnownResourceCommands.StopCommand)).Success);
        await cluster.UntilAsync(() => Task.FromResult(cluster.StateOf("worker-1") == KnownResourceStates.Finished), "end of worker-1");

        // Killed, both of the rest: they return at the same addresses, and say what happened.
        foreach (var service in (string[])["worker-2", "orchestrator"])
        {
            var old = cluster.PidOf(service);
            ChildProcess.Signal(old, ChildProcess.Kill);
            await cluster.UntilAsync(() => Task.FromResult(cluster.StateOf(service) == KnownResourceStates.Running && cluster.PidOf(service) != old), $"new {service}");
            Assert.Contains(await cluster.LogOfAsync(service), line => line.Contains($"{service} has ended with exit code -1 and is started again in 1 s", StringComparison.Ordinal));
            Assert.Equal("1", cluster.Snapshot(service).Properties.Single(property => property.Name == "Restarts").Value?.ToString());
        }

        // So soon after its start it waits twice as long.
        var again = cluster.PidOf("worker-2");
        ChildProcess.Signal(again, ChildProcess.Kill);
        await cluster.UntilAsync(() => Task.FromResult(cluster.StateOf("worker-2") == KnownResourceStates.Running && cluster.PidOf("worker-2") != again), "worker-2 once more");
        Assert.Contains(await cluster.LogOfAsync("worker-2"), line => line.Contains("is started again in 2 s", StringComparison.Ordinal));

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
        var cluster = fixture.Cluster;
        await cluster.UntilFreeAsync(2);
        var before = (await cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed);

        Assert.True((await cluster.RunAsync("worker-1", "drain")).Success);
        Assert.Equal("draining", (await cluster.GetWorkersAsync())["worker-1"].Status);
        Assert.True((await cluster.RunAsync("worker-1", "resume")).Success);
        await cluster.UntilFreeAsync(2);
        Assert.True((await cluster.RunAsync("orchestrator", "burst")).Success);
        Assert.Equal(before + 32, (await cluster.GetWorkersAsync()).Values.Sum(worker => worker.Completed));
    }

    [Fact]
    public async Task Bench_StartedByHand_FindsTheOrchestratorAndEndsWell()
    {
        var cluster = fixture.Cluster;
        await cluster.UntilFreeAsync(2);
        Assert.Equal(KnownResourceStates.NotStarted, cluster.StateOf("bench"));
        Assert.Equal(KnownResourceStates.NotStarted, cluster.StateOf("ec2-deployer"));

        Assert.True((await cluster.RunAsync("bench", KnownResourceCommands.StartCommand)).Success);

        await cluster.UntilAsync(() => Task.FromResult(cluster.StateOf("bench") == KnownResourceStates.Finished), "end of bench");
        Assert.True(cluster.Snapshot("bench").ExitCode == 0, string.Join('\n', await cluster.LogOfAsync("bench")));
        Assert.True(File.Exists(Path.Combine(cluster.ReportDirectory, "report.html")));
    }

    /// <summary>Two workers for all of them; each leaves them free.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private HostedCluster? _cluster;

        internal HostedCluster Cluster => _cluster!;

        /// <inheritdoc/>
        public async ValueTask InitializeAsync() => _cluster = await HostedCluster.StartAsync(workers: 2);

        /// <inheritdoc/>
        public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
