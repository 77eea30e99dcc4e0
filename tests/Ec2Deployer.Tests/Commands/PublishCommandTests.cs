using System.Text.Json;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What <c>publish</c> and <c>scale</c> make of hosts.</summary>
public sealed class PublishCommandTests : CommandTest
{
    [Fact]
    public async Task Publish_Twice_SecondTellsThatNothingIsSentToEc2()
    {
        await using var session = await Ec2Session.StartAsync();

        var first = await RunAsync(session, "publish");
        var mutations = session.StandIn.Mutations.Count;
        var second = await RunAsync(session, "publish");

        Assert.Equal((0, 0), (first.Code, second.Code));
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
        Assert.Equal(["deploy 5", "deploy 5"], Fleet.Calls);
        Assert.Contains("https://198.51.100.", first.Out, StringComparison.Ordinal);
        Assert.Contains("curl --cacert /home/ana/.config/lab/lab/certificate.pem --connect-to ::198.51.100.201: https://orchestrator/new_request -H @/home/ana/.config/lab/lab/authorization ", first.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", first.Out, StringComparison.Ordinal);
        Assert.Contains("/home/ana/.config/lab/lab/api-key", first.Out, StringComparison.Ordinal);
        Assert.Contains("✓ creating host-4", first.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("creating", second.Error, StringComparison.Ordinal);
        // The caller's own address, since no other was given.
        Assert.Contains(session.StandIn.Groups.Single(group => group.Name == "lab/ana/front").Rules, rule => rule.Source == "192.0.2.1/32");
        Assert.Equal(12, File.ReadAllLines(session.DirectoryOf().AuditFile).Length);
    }

    [Fact]
    public async Task Publish_NothingToChange_AsksEc2OnceWhatExists()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish");
        var asked = session.StandIn.Requests.Count;

        await RunAsync(session, "publish");

        // The instances twice: once for the plan, once for whether they run.
        Assert.Equal(
            ["DescribeInstances", "DescribeSecurityGroups", "DescribeKeyPairs", "DescribeVolumes", "DescribeAddresses", "DescribeVpcs", "DescribeSubnets", "DescribeInstanceTypeOfferings", "DescribeImages", "DescribeInstances"],
            session.StandIn.Requests.Skip(asked).Where(request => request["NextToken"] is null).Select(request => request["Action"]));
    }

    [Fact]
    public async Task Publish_OptionsOfTheFirstTime_HoldForTheSecond()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2 --ttl 4h --ssh-from 203.0.113.7");

        await RunAsync(session, "publish");
        var status = await RunAsync(session, "status");

        Assert.Equal(3, session.Alive().Count);
        Assert.Contains(session.StandIn.Groups.Single(group => group.Name == "lab/ana/fleet").Rules, rule => rule.Source == "203.0.113.7/32");
        Assert.Equal(0, status.Code);
    }

    [Fact]
    public async Task Publish_PlainHttp_IsRememberedAndTold()
    {
        await using var session = await Ec2Session.StartAsync();

        var first = await RunAsync(session, "publish --hosts 1 --plain-http yes");
        var second = await RunAsync(session, "publish");
        var third = await RunAsync(session, "publish --plain-http no");

        Assert.All([first, second], run => Assert.Contains("plain HTTP   http://198.51.100.201, texts only, without a key", run.Out, StringComparison.Ordinal));
        Assert.DoesNotContain("plain HTTP", third.Out, StringComparison.Ordinal);
        Assert.Equal([true, true, false], Fleet.Releases.Select(release => release.PlainHttp));
    }

    [Fact]
    public async Task Publish_UpgradeDocker_IsAskedForByStatusAndHoldsOnce()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.OlderDocker = "host-1";

        var status = await RunAsync(session, "status");
        await RunAsync(session, "publish --upgrade-docker");
        await RunAsync(session, "publish");

        Assert.Equal(0, status.Code);
        Assert.Contains("There is a newer version of Docker for host-1. 'publish --upgrade-docker' installs it", status.Out, StringComparison.Ordinal);
        Assert.Equal([false, true, false], Fleet.Releases.Select(release => release.UpgradeDocker));
    }

    [Fact]
    public async Task Publish_FewerHostsThanThereAre_PointsToScale()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 3");

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(2, result.Code);
        Assert.Contains("scale --hosts 1", result.Error, StringComparison.Ordinal);
        Assert.Equal(4, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_HostDied_TakesTheDeadOneOutOfTheSwarmFirst()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await session.StandIn.KillAsync("host-2");
        var status = await RunAsync(session, "status");
        Fleet.Calls.Clear();

        await RunAsync(session, "publish");

        Assert.Equal(4, status.Code);
        Assert.Contains("host-2", status.Out, StringComparison.Ordinal);
        Assert.Contains("gone: 'publish' puts another in its place", status.Out, StringComparison.Ordinal);
        Assert.Equal(["remove host-2 among 2", "deploy 3"], Fleet.Calls);
    }

    [Fact]
    public async Task Publish_HostsFail_EndsWithFourAndTheirWords()
    {
        await using var session = await Ec2Session.StartAsync();
        Fleet.Failure = new DeploymentException(ExitCode.HostFailed, "host-3 has no room. The old version serves.");

        var result = await RunAsync(session, "publish");

        Assert.Equal(4, result.Code);
        Assert.EndsWith(
            "host-3 has no room. The old version serves.\n5 hosts run at 0.513 US dollars an hour: host-1, host-2, host-3, host-4, orchestrator. The same command goes on where this one stopped; 'destroy' ends them.\n",
            result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_Interrupted_EndsWith130()
    {
        await using var session = await Ec2Session.StartAsync();
        using var interrupt = new CancellationTokenSource();
        Interrupt = interrupt.Token;
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action != "RunInstances") return false;
            interrupt.Cancel();
            return true;
        };

        var result = await RunAsync(session, "publish");

        Assert.Equal(130, result.Code);
        Assert.Contains("run the same command again to go on", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scale_UpAndDown_DrainsTheHighestFirst()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 4");
        Fleet.Calls.Clear();

        await RunAsync(session, "scale --hosts 5");
        Assert.Equal(["remove host-5 among 5", "deploy 6"], Fleet.Calls);
        Fleet.Calls.Clear();

        var down = await RunAsync(session, "scale --hosts 3");

        Assert.Equal(0, down.Code);
        Assert.Equal(["drain host-5 among 6", "remove host-5 among 6", "drain host-4 among 6", "remove host-4 among 6", "deploy 4"], Fleet.Calls);
        Assert.Equal(4, session.Alive().Count);
    }
}
