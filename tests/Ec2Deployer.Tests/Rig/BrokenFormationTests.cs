using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Hosts that have no Swarm yet, or have lost its only manager, are taken up by whatever command comes next.</summary>
[Collection(nameof(RigTests))]
public sealed class BrokenFormationTests(RigFixture rig, ITestOutputHelper output)
{
    [Fact]
    public async Task Scale_AfterAPublishThatBrokeOffBeforeTheSwarm_FormsIt()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var story = await FleetStory.StartAsync(rig, output);
        await BreakOffAsync(story);

        FleetStory.AssertHealthy(await story.ReportAsync("scale", "--hosts", "2"), containers: 5);
        await story.DestroyAsync();
    }

    [Fact]
    public async Task Publish_WithoutASwarmOrItsOnlyManager_FormsAnother()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        await using var story = await FleetStory.StartAsync(rig, output);
        await BreakOffAsync(story);

        FleetStory.AssertHealthy(await story.ReportAsync("publish", "--replace", "host-1"), containers: 3);
        await story.Ec2.KillAsync("orchestrator");
        FleetStory.AssertHealthy(await story.ReportAsync("publish"), containers: 3);
        await story.DestroyAsync();
    }

    /// <summary>The hosts run and their keys are pinned, and there is no Swarm.</summary>
    private static async Task BreakOffAsync(FleetStory story)
    {
        Assert.Equal(137, await story.Program.RunUntilAsync(line => line.Contains("✓ reading host keys", StringComparison.Ordinal), "publish", "--hosts", "1"));
        var (code, status) = await story.StatusAsync();
        Assert.Equal((int)ExitCode.HostFailed, code);
        Assert.All(status.GetProperty("hosts").EnumerateArray(), host => Assert.Equal("running", host.GetProperty("state").GetString()));
    }
}
