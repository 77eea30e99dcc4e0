using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class SpotProvisionTests
{
    private static readonly DeploymentOptions Spot = Ec2Session.Options with { Spot = true };
    private static readonly string[] Zones = ["us-east-1a", "us-east-1b", "us-east-1c"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("0.05")]
    public async Task Provision_Spot_AsksForHostsThatAreNoManagersOnce(string? price)
    {
        await using var session = await Ec2Session.StartAsync();

        var provisioned = await session.ProvisionAsync(Spot with { SpotPrice = SpotLaunch.Price(price) });

        Assert.Equal(["host-3", "host-4"], provisioned.Plan.Hosts.Where(host => host.IsSpot).Select(host => host.Name));
        Assert.Equal(["host-3", "host-4"], OnSpot(session));
        Assert.DoesNotContain(provisioned.Hosts, host => host.Manager && OnSpot(session).Contains(host.Name));
        Assert.All(session.Alive(), instance =>
        {
            var isSpot = instance.SpotPrice is not null;
            Assert.Equal(isSpot ? "one-time" : null, instance.Request.GetValueOrDefault("InstanceMarketOptions.SpotOptions.SpotInstanceType"));
            Assert.Equal(isSpot ? "terminate" : null, instance.Request.GetValueOrDefault("InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"));
            Assert.Equal(isSpot ? price : null, instance.Request.GetValueOrDefault("InstanceMarketOptions.SpotOptions.MaxPrice"));
            Assert.Equal(isSpot ? price : null, instance.Tags.GetValueOrDefault("lab:spot-price"));
            Assert.Equal("lab", instance.Tags["lab:deployment"]);
        });
        Assert.DoesNotContain(session.Progress.Lines, line => line.Contains("on demand", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Provision_Again_ChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Spot with { SpotPrice = 0.05m });

        var again = await session.ProvisionAsync(Spot with { SpotPrice = 0.05m });

        Assert.Empty(again.Plan.Actions);
        Assert.Equal(["host-3", "host-4"], again.Plan.Hosts.Where(host => host.IsSpot).Select(host => host.Name));
    }

    [Fact]
    public async Task Provision_ZoneWithoutSpotCapacityAndOneTooDear_GoesToAThirdOnSpot()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.NoSpotCapacity.Add("us-east-1a");
        session.StandIn.Options.SpotPrices["us-east-1b"] = 0.06m;

        await session.ProvisionAsync(Spot with { SpotPrice = 0.05m });

        Assert.Equal(["host-3", "host-4"], OnSpot(session));
        Assert.Equal(["us-east-1c"], session.Alive().Where(instance => instance.SpotPrice is not null).Select(instance => instance.Zone).Distinct());
        Assert.Contains(session.Progress.Lines, line => line.Contains("us-east-1a has no spot capacity (InsufficientInstanceCapacity), trying", StringComparison.Ordinal));
        Assert.Contains(session.Progress.Lines, line => line.Contains("us-east-1b has no spot capacity (SpotMaxPriceTooLow), trying", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("capacity", "EC2 has no spot instance for it (InsufficientInstanceCapacity)", 3)]
    [InlineData("price", "the price of spot instances is above --spot-price in every zone (SpotMaxPriceTooLow)", 3)]
    [InlineData("quota", "the account's quota of spot instances is used up (MaxSpotInstanceCountExceeded)", 1)]
    [InlineData("role", "'aws iam create-service-linked-role --aws-service-name spot.amazonaws.com' makes, once, by whoever administers it (AuthFailure.ServiceLinkedRoleCreationNotPermitted)", 1)]
    public async Task Provision_NoSpotInstanceToBeHad_TakesItOnDemandAndTellsThePriceAndWhy(string obstacle, string why, int asked)
    {
        await using var session = await Ec2Session.StartAsync();
        var options = session.StandIn.Options;
        if (obstacle == "capacity") options.NoSpotCapacity.UnionWith(Zones);
        if (obstacle == "price") foreach (var zone in Zones) options.SpotPrices[zone] = 0.06m;
        if (obstacle == "quota") options.SpotLimit = 0;
        if (obstacle == "role") options.HasSpotRole = false;

        await session.ProvisionAsync(Spot with { Hosts = 3, SpotPrice = 0.05m });

        Assert.Empty(OnSpot(session));
        Assert.Equal(4, session.Alive().Count);
        // Of a quota no other zone has more.
        Assert.Equal(asked, session.StandIn.Requests.Count(request => request["Action"] == "RunInstances" && request["InstanceMarketOptions.MarketType"] == "spot"));
        Assert.Contains(session.Progress.Lines, line => line.Contains($"host-3 runs on demand, at 0.09576 US dollars an hour: ", StringComparison.Ordinal) && line.Contains(why, StringComparison.Ordinal)
            && line.EndsWith("'publish --replace host-3' asks for one again.", StringComparison.Ordinal));
        Assert.DoesNotContain("lab:spot-price", session.Alive().Single(instance => instance.Tags["lab:host"] == "host-3").Tags.Keys);

        var again = await session.ProvisionAsync(Spot with { Hosts = 3, SpotPrice = 0.05m });
        Assert.Empty(again.Plan.Actions);
        Assert.Contains("host-3 keeps the way of paying it was started with (on demand, not on spot): that does not change; 'publish --replace host-3' puts another host in its place.", again.Plan.Notes);
    }

    [Fact]
    public async Task Provision_NoCapacityAtAll_FailsAsWithoutSpot()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Spot with { Hosts = 2 });
        session.StandIn.Options.NoCapacity.UnionWith(Zones);

        var refused = await Assert.ThrowsAsync<Reporting.DeploymentException>(() => session.ProvisionAsync(Spot with { Hosts = 3 }));

        Assert.Contains("no zone of us-east-1 can run another m7i-flex.large now (InsufficientInstanceCapacity)", refused.Message, StringComparison.Ordinal);
        session.StandIn.Options.NoCapacity.Clear();
        await session.ProvisionAsync(Spot with { Hosts = 3 });
        Assert.Equal(["host-3"], OnSpot(session));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(2, true)]
    public async Task Provision_BrokenOffOnDemandInstead_AsksForTheVerySameAsLongAsEc2MayNotShowIt(int hoursAgo, bool isSpot)
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Spot with { Hosts = 2 });
        var directory = session.DirectoryOf();
        directory.WriteState(directory.ReadState() with { Launching = new() { ["host-3"] = "us-east-1b on demand" }, LaunchingSince = DateTimeOffset.UtcNow.AddHours(-hoursAgo) });

        await session.Deployment(pace: Ec2Session.Pace with { Consistency = TimeSpan.FromHours(1) }).ProvisionAsync(Spot with { Hosts = 3 }, "192.0.2.1", session.Progress, Cancellation);

        Assert.Equal(isSpot ? ["host-3"] : [], OnSpot(session));
        Assert.Equal("us-east-1b", session.Alive().Single(instance => instance.Tags["lab:host"] == "host-3").Zone);
    }

    [Fact]
    public async Task Provision_InterruptedOnDemandInstead_FindsTheInstanceThatEc2DoesNotShowYet()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Spot with { Hosts = 2 });
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        session.StandIn.Options.NoSpotCapacity.UnionWith(Zones);
        session.StandIn.Options.Lag = 30;
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action != "RunInstances") return false;
            interrupt.Cancel();
            return true;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ProvisionAsync(Spot with { Hosts = 3 }, interrupt.Token));
        session.StandIn.Options.LoseAnswer = null;
        // Now there is one to be had, and a second host-3 would be started.
        session.StandIn.Options.NoSpotCapacity.Clear();

        await session.Deployment(pace: Ec2Session.Pace with { Consistency = TimeSpan.FromHours(1) }).ProvisionAsync(Spot with { Hosts = 3 }, "192.0.2.1", session.Progress, Cancellation);

        Assert.Equal(4, session.Alive().Count);
        Assert.Empty(OnSpot(session));
        Assert.DoesNotContain("TerminateInstances", session.StandIn.Mutations);
    }

    [Fact]
    public async Task Provision_TakenBackByEc2_StartsAnotherOnSpot()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync(Spot);
        await session.StandIn.ReclaimAsync("host-4");

        var healed = await session.ProvisionAsync(Spot);

        Assert.Equal(["host-4"], healed.Created);
        Assert.NotEqual(before.Hosts[4].InstanceId, healed.Hosts[4].InstanceId);
        Assert.Equal(["host-3", "host-4"], OnSpot(session));
    }

    [Fact]
    public async Task Provision_UnderNotice_EndsItAndStartsAnotherAtOnce()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync(Spot);
        session.StandIn.GiveNotice("host-3");

        var healed = await session.ProvisionAsync(Spot);

        Assert.Contains("host-3: EC2 takes this spot instance back within two minutes, and another is put in its place now.", healed.Plan.Notes);
        Assert.Equal(["host-3"], healed.Created);
        Assert.Equal("terminated", session.StandIn.Instances.Single(instance => instance.Id == before.Hosts[3].InstanceId).State);
        Assert.Equal(["host-3", "host-4"], OnSpot(session));
    }

    [Fact]
    public async Task Provision_SpotNoMore_KeepsWhatRunsAndSaysHowToReplaceIt()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Spot);

        var plain = await session.ProvisionAsync();

        Assert.Empty(plain.Plan.Actions);
        Assert.Contains("host-3 keeps the way of paying it was started with (on spot, not on demand): that does not change; 'publish --replace host-3' puts another host in its place.", plain.Plan.Notes);
    }

    private static List<string> OnSpot(Ec2Session session) =>
        [.. session.Alive().Where(instance => instance.SpotPrice is not null).Select(instance => instance.Tags["lab:host"]).Order(StringComparer.Ordinal)];
}
