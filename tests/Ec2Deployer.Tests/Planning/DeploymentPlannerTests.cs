using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Tests.Planning;

public sealed class DeploymentPlannerTests
{
    private static readonly CallerFacts Caller = new("203.0.113.7", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA");

    [Theory]
    [InlineData(1, new[] { "orchestrator" })]
    [InlineData(2, new[] { "orchestrator", "host-1", "host-2" })]
    [InlineData(4, new[] { "orchestrator", "host-1", "host-2" })]
    public void Plan_AnySize_HasThreeManagersFromThreeHostsOn(int hosts, string[] managers) =>
        Assert.Equal(managers, Plan(new() { Hosts = hosts }).Hosts.Where(host => host.Manager).Select(host => host.Name));

    [Fact]
    public void Plan_AnySize_GivesEachContainerAPortOfItsOwnOnItsHost()
    {
        for (var hosts = 1; hosts <= 50; hosts++)
        {
            var containers = Plan(new() { Hosts = hosts }).Containers;
            Assert.Equal(2 * hosts + 1, containers.Count);
            Assert.Equal(containers.Count, containers.Select(container => (container.Host, container.Port)).Distinct().Count());
            Assert.Equal(containers.Count, containers.Select(container => container.Name).Distinct().Count());
            Assert.All(containers.Where(container => container.Port is 8000 or 8001), container => Assert.StartsWith("worker-", container.Name, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Plan_ThreeOrchestrators_PutsOneOnEachManager() =>
        Assert.Equal(["orchestrator on orchestrator", "orchestrator-2 on host-1", "orchestrator-3 on host-2"],
            Plan(new() { Orchestrators = 3, PostgresFile = "/p" }).Containers.Where(container => container.Port == 80).Select(container => $"{container.Name} on {container.Host}"));

    [Fact]
    public void Plan_Dashboard_TakesTelemetryFromTheDeploymentsHostsAlone()
    {
        var (with, without) = (Plan(new() { Dashboard = true, Owner = "ana" }), Plan(new() { Owner = "ana" }));

        var (group, rule) = Assert.Single(with.Groups.SelectMany(group => group.Rules.Select(rule => (group.Name, rule))), one => one.rule.FromPort <= 4317 && one.rule.ToPort >= 4317);
        Assert.Equal(("lab/ana/front", "tcp", "lab/ana/fleet"), (group, rule.Protocol, rule.Source));
        // Its pages are open to nobody but the host itself.
        Assert.DoesNotContain(with.Groups.SelectMany(group => group.Rules), rule => rule.FromPort <= 18888 && rule.ToPort >= 18888);
        Assert.DoesNotContain(without.Groups.SelectMany(group => group.Rules), rule => rule.FromPort == 4317);
        Assert.Equal(with.Cost.HourlyUsd, without.Cost.HourlyUsd);
        Assert.Equal(("dashboard", "orchestrator", 18888), (with.Containers[^1].Name, with.Containers[^1].Host, with.Containers[^1].Port));
    }

    [Fact]
    public void Plan_SameInput_GivesTheSameRequests()
    {
        var options = new DeploymentOptions { Ttl = TimeSpan.FromHours(4) };
        var one = Plan(options);
        var two = Plan(options);

        Assert.Equal(one.Actions.Select(action => RequestText.Of(action.Request(one.Ids))), two.Actions.Select(action => RequestText.Of(action.Request(two.Ids))));
    }

    [Fact]
    public void Plan_HostsAndZones_HaveTokensOfTheirOwn()
    {
        var plan = Plan(new());
        var tokens = plan.Actions.OfType<LaunchAction>()
            .SelectMany(launch => launch.Zones.SelectMany(zone => Enumerable.Range(0, 2).Select(generation => ((Amazon.EC2.Model.RunInstancesRequest)launch.Request(plan.Ids, zone, generation)).ClientToken)))
            .ToList();

        Assert.Equal(5 * 3 * 2, tokens.Distinct().Count());
        Assert.All(tokens, token => Assert.InRange(token.Length, 1, 64));
    }

    [Fact]
    public void Plan_TwoInstancesOfOneHost_KeepsTheOlder()
    {
        var observed = Observed("orchestrator", "host-1");
        var second = observed.Instances[1] with { Id = "i-second", LaunchedAt = DateTimeOffset.UnixEpoch.AddDays(1) };

        var plan = DeploymentPlanner.Plan(new() { Hosts = 1 }, observed with { Instances = [second, .. observed.Instances] }, Caller);

        Assert.Equal("i-host-1", plan.Hosts[1].InstanceId);
        Assert.Equal(["Remove host-1 i-second, a second host-1"],
            plan.Actions.Where(action => action.Kind == ActionKind.Remove).Select(action => $"{action.Kind} {action.Subject} {action.Detail}"));
    }

    [Fact]
    public void Plan_InstanceThatIsNoHost_IsLeftAlone()
    {
        var observed = Observed("orchestrator", "host-1");
        var stranger = observed.Instances[1] with { Id = "i-stranger", Host = "database" };

        var plan = DeploymentPlanner.Plan(new() { Hosts = 1 }, observed with { Instances = [.. observed.Instances, stranger] }, Caller);

        Assert.DoesNotContain(plan.Actions, action => action.Detail.Contains("i-stranger", StringComparison.Ordinal));
        Assert.Contains(plan.Notes, note => note.Contains("i-stranger", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_OtherTypeThanRunning_KeepsTheHostAndSaysSo()
    {
        var plan = DeploymentPlanner.Plan(new() { Hosts = 1, InstanceType = "c6i.large" }, Observed("orchestrator", "host-1"), Caller);

        Assert.DoesNotContain(plan.Actions, action => action is LaunchAction || action.Kind == ActionKind.Remove);
        Assert.Equal(2, plan.Notes.Count(note => note.Contains("m7i-flex.large, not c6i.large", StringComparison.Ordinal)));
    }

    [Fact]
    public void Plan_MissingHost_GoesToTheEmptiestZone()
    {
        var observed = Observed("orchestrator", "host-1", "host-3", "host-4");

        var plan = DeploymentPlanner.Plan(new(), observed with { Instances = [.. observed.Instances.Select((instance, index) => instance with { Zone = index == 0 ? "us-east-1b" : "us-east-1a" })] }, Caller);

        Assert.Equal("us-east-1c", plan.Hosts.Single(host => host.Name == "host-2").Zone);
    }

    [Fact]
    public void Plan_RegionOrTypeWithoutPrice_SumsNothingUp()
    {
        var elsewhere = Plan(new() { Region = "eu-central-2" }).Cost;
        var type = Plan(new() { InstanceType = "z1d.large" }).Cost;

        Assert.All([elsewhere, type], cost => Assert.Null(cost.HourlyUsd));
        Assert.Null(type.MonthlyUsd);
    }

    [Fact]
    public void Plan_PrivateAddresses_CostAndGetNoPublicOnes()
    {
        var plan = Plan(new() { UsePrivateAddress = true });

        Assert.DoesNotContain(plan.Cost.Lines, line => line.What.Contains("IPv4", StringComparison.Ordinal));
        Assert.All(plan.Actions.OfType<LaunchAction>(), launch =>
            Assert.Contains("NetworkInterface.1.AssociatePublicIpAddress=false", RequestText.Of(launch.Request(plan.Ids)), StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_Firewall_OpensSwarmAndWorkersToTheDeploymentsHostsAlone()
    {
        var plan = Plan(new() { Orchestrators = 3, PostgresFile = "/p", HttpFrom = "0.0.0.0/0", SshFrom = "0.0.0.0/0" });

        var rules = plan.Groups.SelectMany(group => group.Rules).ToList();
        Assert.Equal([("tcp", 80), ("tcp", 443), ("tcp", 22)], rules.Where(rule => rule.Source is not ("lab/fleet" or "lab/front")).Select(rule => (rule.Protocol, rule.FromPort)));
        // No overlay network is used, and what speaks VXLAN there speaks for any container.
        Assert.DoesNotContain(rules, rule => rule.FromPort <= 4789 && 4789 <= rule.ToPort);
    }

    [Fact]
    public void Plan_OverlayPortOpenFromBefore_IsClosed()
    {
        var rules = Plan(new()).Groups.Single(group => group.Name == "lab/fleet").Rules.Select(rule => rule with { Source = rule.Source.Replace("lab/fleet", "sg-2").Replace("lab/front", "sg-1") });
        var observed = Observed("orchestrator", "host-1") with { Groups = [new("sg-1", "lab/front", []), new("sg-2", "lab/fleet", [.. rules, new("udp", 4789, 4789, "sg-2", "")])] };

        var plan = DeploymentPlanner.Plan(new() { Hosts = 1 }, observed, Caller);

        Assert.Contains(plan.Actions, action => action.Subject == "lab/fleet" && action.Detail == "no more let in udp 4789 from sg-2");
    }

    private static DeploymentPlan Plan(DeploymentOptions options) => DeploymentPlanner.Plan(options, ObservedDeployment.Unknown, Caller);

    private static ObservedDeployment Observed(params string[] hosts) => new()
    {
        Known = true,
        VpcId = "vpc-1",
        Zones = [new("us-east-1a", "subnet-a"), new("us-east-1b", "subnet-b"), new("us-east-1c", "subnet-c")],
        Image = new("ami-1", "debian", "/dev/xvda", 8),
        Key = new("lab/deployer", Caller.PublicKey!),
        Instances =
        [
            .. hosts.Select(host => new ObservedInstance
            {
                Id = $"i-{host}",
                Host = host,
                State = "running",
                InstanceType = DeploymentOptions.DefaultInstanceType,
                ImageId = "ami-1",
                Zone = "us-east-1a",
                LaunchedAt = DateTimeOffset.UnixEpoch,
            }),
        ],
    };
}
