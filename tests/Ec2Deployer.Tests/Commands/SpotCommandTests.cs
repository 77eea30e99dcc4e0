using System.Text.Json;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Worker hosts on spot, as their user meets them.</summary>
public sealed class SpotCommandTests : CommandTest
{
    [Theory]
    [InlineData("--spot", true)]
    [InlineData("--spot yes", true)]
    [InlineData("--spot no", false)]
    [InlineData("", false)]
    public async Task Plan_Spot_ShowsWhichHostsAndTheMostTheyCost(string option, bool isSpot)
    {
        await using var session = await Ec2Session.StartAsync();

        var text = (await RunAsync(session, $"plan --offline --hosts 4 {option}")).Out;
        using var json = JsonDocument.Parse((await RunAsync(session, $"plan --offline --json --hosts 4 {option}")).Out);

        Assert.Equal(isSpot, text.Contains("m7i-flex.large, spot", StringComparison.Ordinal));
        Assert.Equal(isSpot ? ["host-3", "host-4"] : [], json.RootElement.GetProperty("hosts").EnumerateArray().Where(host => host.GetProperty("spot").GetBoolean()).Select(host => host.GetProperty("name").GetString()));
        Assert.Equal(isSpot, json.RootElement.GetProperty("costs_at_most").GetBoolean());
        Assert.Equal(isSpot, text.Contains("  2 × m7i-flex.large on spot  at most 0.0958", StringComparison.Ordinal));
        Assert.Equal(isSpot, text.Contains("host-3, host-4: asked for on spot. EC2 may take spot instances back", StringComparison.Ordinal));
        // What it may come to is what it costs on demand.
        Assert.Equal(0.513m, decimal.Round(json.RootElement.GetProperty("hourly_usd").GetDecimal(), 3));
    }

    [Fact]
    public async Task Plan_SpotWithSoFewHostsThatAllAreManagers_SaysThatItChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();

        var text = (await RunAsync(session, "plan --offline --hosts 2 --spot")).Out;

        Assert.Contains("--spot changes nothing with --hosts 2: host-1 and host-2 stay on demand", text, StringComparison.Ordinal);
        Assert.DoesNotContain("at most", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--spot maybe", "--spot 'maybe': yes or no.")]
    [InlineData("--spot-price 0.04", "--spot-price means nothing without --spot: give both, or none.")]
    [InlineData("--spot --spot-price cheap", "--spot-price 'cheap': US dollars an hour are asked for, such as 0.04.")]
    [InlineData("--spot --spot-price -1", "--spot-price '-1': US dollars an hour are asked for, such as 0.04.")]
    [InlineData("--spot --spot-price 0.0000001", "--spot-price '0.0000001': US dollars an hour are asked for, such as 0.04.")]
    [InlineData("--spot --spot-price 0.001", "--spot-price 0.001: more than 0.001, and at most 100 US dollars an hour.")]
    [InlineData("--spot --spot-price 101", "--spot-price 101: more than 0.001, and at most 100 US dollars an hour.")]
    public async Task Plan_OptionsOfNoUse_AreRefusedInOneLine(string options, string error)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, $"plan --offline {options}");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains(error, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PublishAndScale_Spot_IsRememberedAndItsWorkersAskForNotices()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 3");
        Assert.Empty(OnSpot(session));
        Assert.False(Fleet.Releases[^1].SpotNotices);

        var scaled = await RunAsync(session, "scale --hosts 4 --spot --spot-price 0.05");
        Assert.Equal(0, scaled.Code);
        Assert.Contains("Starts 1 host (host-4) for at most 0.103 US dollars an hour", scaled.Error, StringComparison.Ordinal);
        Assert.Equal(["host-4"], OnSpot(session));
        await RunAsync(session, "publish --hosts 5");

        Assert.Equal(["host-4", "host-5"], OnSpot(session));
        Assert.All(session.Alive().Where(instance => instance.SpotPrice is not null), instance => Assert.Equal("0.05", instance.SpotPrice));
        Assert.True(Fleet.Releases[^1].SpotNotices);
        // Those that run want to know, whatever is asked for now.
        await RunAsync(session, "publish --spot no");
        Assert.True(Fleet.Releases[^1].SpotNotices);
    }

    [Fact]
    public async Task Status_Spot_TellsTheMostItCostsAndWhatEc2TakesBack()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 4 --spot --spot-price 0.03");

        var well = await RunAsync(session, "status");
        Assert.Equal(0, well.Code);
        // Three on demand, and two for no more than was allowed; disks and addresses of five.
        Assert.Matches(@"^Deployment 'lab' in us-east-1: at most 0\.381 US dollars an hour, at most 0\.\d\d spent", well.Out);
        Assert.Equal(2, well.Out.Split('\n').Count(line => line.Contains("m7i-flex.large, spot", StringComparison.Ordinal)));

        session.StandIn.GiveNotice("host-3");
        await session.StandIn.ReclaimAsync("host-4");
        var text = await RunAsync(session, "status");
        using var json = JsonDocument.Parse((await RunAsync(session, "status --json")).Out);

        Assert.Equal((int)ExitCode.HostFailed, text.Code);
        Assert.Contains("! EC2 takes this spot instance back within two minutes: its workers finish what they compute and take no more; 'publish' puts another in its place", text.Out, StringComparison.Ordinal);
        Assert.Contains("! gone, for EC2 has taken its spot instance back: 'publish' puts another in its place", text.Out, StringComparison.Ordinal);
        var hosts = json.RootElement.GetProperty("hosts").EnumerateArray().ToDictionary(host => host.GetProperty("name").GetString()!);
        Assert.Equal((true, true), (hosts["host-3"].GetProperty("spot").GetBoolean(), hosts["host-3"].GetProperty("taken_back").GetBoolean()));
        Assert.Equal("gone", hosts["host-4"].GetProperty("state").GetString());
        Assert.True(json.RootElement.GetProperty("costs_at_most").GetBoolean());
    }

    [Fact]
    public async Task Status_AccountThatMayNotAskForSpotRequests_TellsTheRest()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 3 --spot");
        session.StandIn.Options.Denied.Add("DescribeSpotInstanceRequests");
        session.StandIn.GiveNotice("host-3");

        Assert.Equal((0, ""), ((await RunAsync(session, "status")) is var status ? status.Code : -1, status.Error));
    }

    [Fact]
    public async Task Publish_UnderTheLeastPolicy_StartsAndReplacesSpotInstances()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Policy = (await RunAsync(session, "iam")).Out;
        Assert.Equal(0, (await RunAsync(session, "publish --hosts 3 --spot")).Code);
        session.StandIn.GiveNotice("host-3");

        Assert.Equal(0, (await RunAsync(session, "publish")).Code);

        Assert.Equal(["host-3"], OnSpot(session));
        Assert.Equal(4, session.Alive().Count);
    }

    [Fact]
    public async Task StopAndStart_Spot_AreEndedAndBroughtBackByPublish()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 4 --spot");

        var stop = await RunAsync(session, "stop");
        Assert.Equal(0, stop.Code);
        Assert.StartsWith("orchestrator, host-1, host-2 are stopped.\nhost-3, host-4: spot instances, which EC2 does not stop, so that they are ended, with their disks. 'publish' after 'start' starts others.\n", stop.Out, StringComparison.Ordinal);
        Assert.Equal(["stopped", "stopped", "stopped"], session.Alive().Select(instance => instance.State));
        Assert.Equal(0, (await RunAsync(session, "stop")).Code);

        var start = await RunAsync(session, "start");
        Assert.Equal((0, "resume 3"), (start.Code, Fleet.Calls[^1]));
        Assert.Contains("host-3, host-4 are not there: 'publish' starts them anew.", start.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(session, "publish")).Code);
        Assert.Equal(["host-3", "host-4"], OnSpot(session));
        Assert.Equal(5, session.Alive().Count(instance => instance.State == "running"));
    }

    [Fact]
    public async Task Stop_InterruptedOnceSpotInstancesAreEnded_GoesOnWhenRunAgain()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 3 --spot");
        using (var interrupt = new CancellationTokenSource())
        {
            Interrupt = interrupt.Token;
            session.StandIn.Options.LoseAnswer = made =>
            {
                if (made != "TerminateInstances") return false;
                interrupt.Cancel();
                return true;
            };
            Assert.Equal(130, (await RunAsync(session, "stop")).Code);
            session.StandIn.Options.LoseAnswer = null;
        }

        Interrupt = TestContext.Current.CancellationToken;

        Assert.Equal(0, (await RunAsync(session, "stop")).Code);
        Assert.Equal(["stopped", "stopped", "stopped"], session.Alive().Select(instance => instance.State));
    }

    private static List<string> OnSpot(Ec2Session session) =>
        [.. session.Alive().Where(instance => instance.SpotPrice is not null).Select(instance => instance.Tags["lab:host"]).Order(StringComparer.Ordinal)];
}
