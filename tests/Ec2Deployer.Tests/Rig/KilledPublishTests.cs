using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>The program killed after each of its steps in turn, with the smallest fleet there is.</summary>
[Collection(nameof(RigTests))]
public sealed class KilledPublishTests(RigFixture rig, ITestOutputHelper output) : IAsyncLifetime
{
    private FleetStory _story = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        _story = await FleetStory.StartAsync(rig, output);
    }

    public async ValueTask DisposeAsync()
    {
        if (_story is not null) await _story.DisposeAsync();
    }

    [Fact]
    public Task Publish_KilledAfterEachStepInTurn_ConvergesWithNothingDoubledOrLeft() => KillAfterEachStepAsync(workerHosts: 1);

    /// <summary>For <c>.ci/rig</c>: three of these steps are in the fleet's story too.</summary>
    [Fact(Explicit = true)]
    public Task Publish_OfFiveHostsKilledAfterEachStepInTurn_ConvergesWithNothingDoubledOrLeft() => KillAfterEachStepAsync(workerHosts: 4);

    private async Task KillAfterEachStepAsync(int workerHosts)
    {
        // A step that a run after the kill has to make again is not new, and the run gets further.
        var killedAfter = new HashSet<string>();
        while (await _story.Program.RunUntilAsync(IsNewStep, "publish", "--hosts", $"{workerHosts}") is 137)
        {
        }

        var last = await _story.ReportAsync("publish");
        Assert.False(last.Changed);
        FleetStory.AssertHealthy(last, containers: 1 + (2 * workerHosts));
        _story.Say($"killed after {string.Join("; ", killedAfter)}");
        // The program goes on until the kill arrives: a short step may be over with the one before.
        Assert.InRange(killedAfter.Count, 12, int.MaxValue);
        Assert.Superset(new HashSet<string>
        {
            "looking at the hosts", "building the images", "orchestrator: sending images", "spreading images over the private network", "loading images", "forming the Swarm", "starting worker-a",
        }, killedAfter);

        Assert.Equal(1 + workerHosts, _story.Ec2.Instances.Count);
        Assert.Equal((2, 1, 1 + workerHosts), (_story.Ec2.Groups.Count, _story.Ec2.Keys.Count, _story.Ec2.Volumes.Count));
        var (code, status) = await _story.StatusAsync();
        Assert.Equal(0, code);
        Assert.Equal([last.Version], status.GetProperty("versions").EnumerateArray().Select(version => version.GetString()));
        foreach (var host in _story.Backend.Running.Values)
        {
            Assert.Equal("", await host.RunAsync("find /dev/shm /tmp -mindepth 1 -maxdepth 1 -name 'lab-*' -o -name 'tmp.*'; find /var/lib/lab -name '.*'; ps -eo args | grep -E '[l]ab-(spread|fetch)' || true"));
            Assert.Equal("1", (await host.RunAsync("docker image ls --quiet | sort -u | wc -l")).Trim());
        }

        Assert.Equal($"{1 + workerHosts}", (await _story.Backend.Running["orchestrator"].RunAsync("docker node ls --quiet | wc -l")).Trim());
        Assert.Equal("2", (await _story.Backend.Running["orchestrator"].RunAsync("docker secret ls --quiet | wc -l")).Trim());
        await _story.DestroyAsync();

        bool IsNewStep(string line) => line.Split('✓') is [_, var step] && killedAfter.Add(step.Trim().Split("  ")[0]);
    }
}
