using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>While another deployer is at work nothing is changed, at EC2 neither.</summary>
public sealed class LockTests : CommandTest
{
    [Theory]
    [InlineData("publish --hosts 4", "Nothing was changed.")]
    [InlineData("publish --replace host-1", "Nothing was changed.")]
    [InlineData("scale --hosts 4", "Nothing was changed.")]
    [InlineData("scale --hosts 1", "Nothing was changed.")]
    [InlineData("start", "Nothing was started.")]
    [InlineData("stop", "Nothing was stopped.")]
    [InlineData("destroy --yes", "Nothing was removed.")]
    public async Task Any_WhileSomebodyDeploys_IsRefusedAndChangesNothing(string line, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        if (line == "start") await session.StandIn.StopAsync("host-2");
        var before = session.StandIn.Mutations.Count;
        Fleet.Calls.Clear();
        Fleet.Lock = new FleetLock("ben@desk", "publish", new(2026, 11, 24, 10, 0, 0, TimeSpan.Zero));

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Locked, result.Code);
        Assert.Contains($"ben@desk has been at work on this deployment ('publish') since 2026-11-24 10:00 UTC. {words} Wait, ", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, session.StandIn.Mutations.Count);
        Assert.Empty(Fleet.Calls);
        Assert.Equal(0, Fleet.Builds - 1);
    }

    [Fact]
    public async Task Destroy_WhileSomebodyDeploysAndForced_RemovesAll()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.Lock = new FleetLock("ben@desk", "publish", DateTimeOffset.UtcNow);

        Assert.Equal(0, (await RunAsync(session, "destroy --yes --force")).Code);

        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task Destroy_HostsThatCannotBeAsked_RemovesAllAndSaysSo()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.StatusFailure = new DeploymentException(ExitCode.HostFailed, "orchestrator does not answer.");

        var result = await RunAsync(session, "destroy --yes");

        Assert.Equal(0, result.Code);
        Assert.Contains("The hosts cannot be asked whether somebody else deploys: orchestrator does not answer.", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
    }

    [Fact]
    public async Task Ttl_WhileSomebodyDeploys_PutsTheEndOff()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 1h");
        Fleet.Lock = new FleetLock("ben@desk", "publish", DateTimeOffset.UtcNow);

        Assert.Equal(0, (await RunAsync(session, "ttl +2h")).Code);
    }
}
