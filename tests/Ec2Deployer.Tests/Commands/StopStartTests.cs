using System.Text.Json;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>A deployment switched off overnight.</summary>
public sealed class StopStartTests : CommandTest
{
    [Fact]
    public async Task Stop_Hosts_SaysWhatStillCostsAndCanBeRepeated()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var first = await RunAsync(session, "stop");
        var stops = session.StandIn.Mutations.Count(action => action == "StopInstances");
        var second = await RunAsync(session, "stop");

        Assert.Equal((0, 0, 1), (first.Code, second.Code, stops));
        Assert.All(session.Alive(), instance => Assert.Equal("stopped", instance.State));
        Assert.Matches(@"^orchestrator, host-1 are stopped\.\n  Their disks and the Elastic IP address cost 0\.00\d\d US dollars an hour \(6\.\d+ a month\)\. 198\.51\.100\.201 \(orchestrator\) stays; other public addresses were given back: 'start' brings others\.\n  While they are stopped nothing ends them\. 'destroy' removes everything\.\n$", first.Out);
        Assert.Equal(1, session.StandIn.Mutations.Count(action => action == "StopInstances"));
        Assert.Equal(first.Out, second.Out);
    }

    [Fact]
    public async Task Status_OfStoppedHosts_TellsThatAndTheirRateAndWhatStartsThem()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 4h");
        await RunAsync(session, "stop");

        var text = await RunAsync(session, "status");
        var json = await RunAsync(session, "status --json");

        Assert.Equal((4, 4), (text.Code, json.Code));
        Assert.Matches(@"^Deployment 'lab' in us-east-1: 0\.00\d\d US dollars an hour, 0\.\d\d spent, stopped, so that its end \(.* UTC \(in 3h5\dm\)\) does not come\n", text.Out);
        Assert.Contains("stopped: 'start' starts it", text.Out, StringComparison.Ordinal);
        using var status = JsonDocument.Parse(json.Out);
        Assert.All(status.RootElement.GetProperty("containers").EnumerateArray(), container => Assert.Equal("stopped", container.GetProperty("health").GetString()));
        Assert.InRange(status.RootElement.GetProperty("hourly_usd").GetDecimal(), 0.001m, 0.01m);
    }

    [Fact]
    public async Task Start_StoppedHosts_TakesUpNewAddressesWithTheSameKeys()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var before = Fleet.Hosts.ToDictionary(host => host.Name);
        await RunAsync(session, "stop");

        var result = await RunAsync(session, "start");

        Assert.Equal(0, result.Code);
        Assert.Equal("resume 2", Fleet.Calls[^1]);
        Assert.All(Fleet.Hosts, host =>
        {
            Assert.Equal((before[host.Name].InstanceId, before[host.Name].HostKey, before[host.Name].PrivateAddress), (host.InstanceId, host.HostKey, host.PrivateAddress));
            // That of the orchestrator is its own; the others' were of EC2's pool.
            Assert.Equal(host.Name == "orchestrator", before[host.Name].SshAddress == host.SshAddress);
        });
        Assert.Contains($"https://{Fleet.Hosts[0].SshAddress}/", result.Out, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(session, "status")).Code);
        Assert.Equal(1, session.StandIn.Mutations.Count(action => action == "StartInstances"));
    }

    [Theory]
    [InlineData("stop", "StopInstances", "stopped")]
    [InlineData("start", "StartInstances", "running")]
    public async Task StopAndStart_Interrupted_GoOnWhenRunAgain(string verb, string action, string state)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        if (verb == "start") await RunAsync(session, "stop");
        using (var interrupt = new CancellationTokenSource())
        {
            Interrupt = interrupt.Token;
            session.StandIn.Options.LoseAnswer = made =>
            {
                if (made != action) return false;
                interrupt.Cancel();
                return true;
            };
            Assert.Equal(130, (await RunAsync(session, verb)).Code);
            session.StandIn.Options.LoseAnswer = null;
        }

        Interrupt = TestContext.Current.CancellationToken;
        var result = await RunAsync(session, verb);

        Assert.Equal(0, result.Code);
        Assert.All(session.Alive(), instance => Assert.Equal(state, instance.State));
        Assert.Equal(3, session.Alive().Count);
    }

    [Theory]
    [InlineData("start")]
    [InlineData("publish")]
    public async Task Start_AfterTheEnd_IsRefusedUntilAnotherIsSet(string verb)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 4h");
        await RunAsync(session, "stop");
        session.StandIn.Age(TimeSpan.FromHours(12));

        var refused = await RunAsync(session, verb);
        var set = await RunAsync(session, "ttl 4h");
        var started = await RunAsync(session, verb);

        Assert.Equal((int)ExitCode.Failed, refused.Code);
        Assert.Contains("has passed or comes at once. Nothing was changed. Set another first: 'ttl 4h', or 'ttl never'.", refused.Error, StringComparison.Ordinal);
        Assert.Equal((0, 0), (set.Code, started.Code));
        // The disks of stopped hosts cannot be reached: the next boot sets it, before the timer of the old end.
        Assert.Empty(Fleet.Ends);
        Assert.All(session.Alive(), instance =>
        {
            var end = $"{instance.Tags["lab:end"][..10]} {instance.Tags["lab:end"][11..16]}:00 UTC";
            Assert.Contains($"end='{end}'", instance.UserData, StringComparison.Ordinal);
            Assert.Matches(@"bootcmd:\n  - - cloud-init-per\n    - once\n    - lab-ttl-\d+\n", instance.UserData);
            Assert.Contains($"hostname: {instance.Tags["lab:host"]}\n", instance.UserData, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Publish_StoppedHosts_StartsThemAndWaitsUntilTheyAnswer()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "stop");
        Fleet.Calls.Clear();

        var result = await RunAsync(session, "publish");

        Assert.Equal(0, result.Code);
        Assert.Equal(["wait for 2", "deploy 2"], Fleet.Calls);
    }

    [Fact]
    public async Task Status_AfterStopAndStart_CountsTheRunBefore()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.StandIn.Age(TimeSpan.FromHours(10));
        await RunAsync(session, "stop");
        await RunAsync(session, "stop");
        await RunAsync(session, "start");

        using var status = JsonDocument.Parse((await RunAsync(session, "status --json")).Out);

        Assert.All(status.RootElement.GetProperty("hosts").EnumerateArray(), host => Assert.InRange(host.GetProperty("up_seconds").GetInt64(), 0, 600));
        var hourly = status.RootElement.GetProperty("hourly_usd").GetDecimal();
        Assert.InRange(status.RootElement.GetProperty("cost_usd").GetDecimal(), 9.9m * hourly, 10.2m * hourly);
    }

    [Fact]
    public async Task Stop_WhileSomebodyDeploys_IsRefusedUnlessForced()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.Lock = new FleetLock("ben@desk", "publish", DateTimeOffset.UtcNow.AddMinutes(-2));

        var refused = await RunAsync(session, "stop");

        Assert.Equal((int)ExitCode.Locked, refused.Code);
        Assert.Contains("ben@desk has been at work", refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("StopInstances", session.StandIn.Mutations);
        Assert.Equal(0, (await RunAsync(session, "stop --force")).Code);
    }

    [Fact]
    public async Task Stop_HostsThatCannotBeAsked_StopsThem()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.StatusFailure = new InvalidOperationException("the key is torn");

        Assert.Equal(0, (await RunAsync(session, "stop")).Code);

        Assert.All(session.Alive(), instance => Assert.Equal("stopped", instance.State));
    }

    [Theory]
    [InlineData("scale --hosts 2")]
    [InlineData("logs")]
    [InlineData("rollback")]
    public async Task Others_OnStoppedHosts_PointToStart(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "stop");

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.HostFailed, result.Code);
        Assert.Contains("'start'", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, session.Alive().Count);
    }

    [Fact]
    public async Task Start_StoppedHosts_TellsWhatTheyCostFromThenOn()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "stop");

        var result = await RunAsync(session, "start");

        Assert.Contains("The hosts cost 0.205 US dollars an hour while they run.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_WithoutPublicAddresses_SpeaksOfNone()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "stop --private-address yes");

        Assert.Contains("'start' starts them again.", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Public addresses", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_NothingThere_SaysHowToMakeIt()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "start");

        Assert.Equal((int)ExitCode.Failed, result.Code);
        Assert.Contains("Make it with 'publish'", result.Error, StringComparison.Ordinal);
    }
}
