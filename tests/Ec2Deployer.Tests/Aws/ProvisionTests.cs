using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

public sealed class ProvisionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Provision_EmptyAccount_StartsFiveHostsInDifferentZonesWithPinnedKeys()
    {
        await using var session = await Ec2Session.StartAsync();

        var provisioned = await session.ProvisionAsync();

        Assert.Equal(["orchestrator", "host-1", "host-2", "host-3", "host-4"], provisioned.Hosts.Select(host => host.Name));
        Assert.Equal([true, true, true, false, false], provisioned.Hosts.Select(host => host.Manager));
        // 1e has a subnet but does not offer the type.
        Assert.Equal(["us-east-1a", "us-east-1b", "us-east-1c", "us-east-1a", "us-east-1b"], provisioned.Plan.Hosts.Select(host => host.Zone));
        Assert.All(provisioned.Hosts, host =>
        {
            Assert.Equal(session.Hosts.HostKey(host.InstanceId), host.HostKey);
            Assert.StartsWith("198.51.100.", host.SshAddress, StringComparison.Ordinal);
            Assert.StartsWith("172.31.", host.PrivateAddress, StringComparison.Ordinal);
            Assert.Equal("admin", host.SshUser);
        });
    }

    [Fact]
    public async Task Provision_EmptyAccount_AsksForWhatThePlanSays()
    {
        await using var session = await Ec2Session.StartAsync();

        await session.ProvisionAsync();

        Assert.All(session.Alive(), instance =>
        {
            Assert.Equal("m7i-flex.large", instance.InstanceType);
            // The newest amd64 image of Debian's own account, of four.
            Assert.Equal("ami-00000000000000002", instance.ImageId);
            Assert.Equal("required", instance.Request["MetadataOptions.HttpTokens"]);
            Assert.Equal("1", instance.Request["MetadataOptions.HttpPutResponseHopLimit"]);
            Assert.Equal("gp3", instance.Request["BlockDeviceMapping.1.Ebs.VolumeType"]);
            Assert.Equal("true", instance.Request["BlockDeviceMapping.1.Ebs.Encrypted"]);
            Assert.True(instance.TerminatesOnShutdown);
            Assert.Equal("ami-00000000000000002", instance.Tags["lab:image"]);
            Assert.Contains($"hostname: {instance.Tags["lab:host"]}\n", instance.UserData, StringComparison.Ordinal);
        });
        var fleet = session.StandIn.Groups.Single(group => group.Name == "lab/fleet");
        var front = session.StandIn.Groups.Single(group => group.Name == "lab/front");
        Assert.Equal(
            ["tcp 22 203.0.113.7/32", $"tcp 2377 {fleet.Id}", $"tcp 7946 {fleet.Id}", $"tcp 8000 {front.Id}", $"udp 7946 {fleet.Id}"],
            fleet.Rules.Select(rule => $"{rule.Protocol} {rule.From} {rule.Source}").Order(StringComparer.Ordinal));
        Assert.Equal(["80 203.0.113.0/24", "443 203.0.113.0/24", $"8000 {fleet.Id}"], front.Rules.Select(rule => $"{rule.From} {rule.Source}"));
        Assert.Equal(["orchestrator"], session.Alive().Where(instance => instance.GroupIds.Contains(front.Id)).Select(instance => instance.Tags["lab:host"]));
    }

    [Fact]
    public async Task Provision_Again_ChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        var first = await session.ProvisionAsync();
        var mutations = session.StandIn.Mutations.Count;

        var second = await session.ProvisionAsync();

        Assert.Equal(0, second.Calls);
        Assert.Empty(second.Plan.Actions);
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
        Assert.Equal(first.Hosts, second.Hosts);
    }

    [Fact]
    public async Task Provision_InterruptedAfterEachChangeInTurn_ConvergesWithNothingDoubled()
    {
        int changes;
        await using (var whole = await Ec2Session.StartAsync())
        {
            await whole.ProvisionAsync();
            changes = whole.StandIn.Mutations.Count;
        }

        // An address, a key pair, two groups, the rules of each, five hosts, the address on its host.
        Assert.Equal(12, changes);
        for (var cut = 1; cut <= changes; cut++)
        {
            await using var session = await Ec2Session.StartAsync();
            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var seen = 0;
            // The change has happened, its answer never arrives, and the deployer is gone.
            session.StandIn.Options.LoseAnswer = _ =>
            {
                if (++seen != cut) return false;
                interrupt.Cancel();
                return true;
            };
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ProvisionAsync(cancellationToken: interrupt.Token));
            session.StandIn.Options.LoseAnswer = null;

            await session.ProvisionAsync();

            AssertWhole(session, $"cut after change {cut}");
            var mutations = session.StandIn.Mutations.Count;
            await session.ProvisionAsync();
            Assert.Equal(mutations, session.StandIn.Mutations.Count);
        }
    }

    [Fact]
    public async Task Provision_EveryAnswerToAChangeLostOnce_MakesEachPartOnce()
    {
        await using var session = await Ec2Session.StartAsync();
        var turn = 0;
        session.StandIn.Options.LoseAnswer = _ => turn++ % 2 == 0;

        await session.ProvisionAsync();

        AssertWhole(session, "answers lost");
    }

    [Fact]
    public async Task Provision_EveryThirdCallThrottled_Succeeds()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.ThrottleEvery = 3;

        await session.ProvisionAsync();

        AssertWhole(session, "throttled");
    }

    [Fact]
    public async Task Provision_ZoneWithoutCapacity_GoesToAnother()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.NoCapacity.Add("us-east-1b");

        await session.ProvisionAsync();

        AssertWhole(session, "no capacity in one zone");
        Assert.DoesNotContain("us-east-1b", session.Alive().Select(instance => instance.Zone));
        Assert.Contains(session.Progress.Lines, line => line.Contains("us-east-1b has no capacity", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Provision_InterruptedInAnotherZoneThanPlanned_FindsTheInstanceThatEc2DoesNotShowYet()
    {
        await using var session = await Ec2Session.StartAsync();
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        session.StandIn.Options.NoCapacity.Add("us-east-1b");
        var launches = 0;
        session.StandIn.Options.LoseAnswer = action =>
        {
            // The second host, which goes to another zone than planned; from now on EC2 hides what it has made for long.
            if (action != "RunInstances" || ++launches != 2) return false;
            interrupt.Cancel();
            return true;
        };
        session.StandIn.Options.Fault = action =>
        {
            if (action == "RunInstances" && launches == 1) session.StandIn.Options.Lag = 30;
            return null;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.ProvisionAsync(cancellationToken: interrupt.Token));
        session.StandIn.Options.LoseAnswer = null;
        session.StandIn.Options.NoCapacity.Clear();

        await session.ProvisionAsync();

        AssertWhole(session, "interrupted in another zone");
        Assert.DoesNotContain("TerminateInstances", session.StandIn.Mutations);
    }

    [Fact]
    public async Task Provision_HostDied_StartsOneInItsPlace()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync();
        await session.StandIn.KillAsync("host-2");

        var healed = await session.ProvisionAsync();

        // EC2 still remembers the token of the dead one: a new launch must not be answered with it.
        Assert.Equal(["host-2"], healed.Created);
        Assert.NotEqual(before.Hosts[2].InstanceId, healed.Hosts[2].InstanceId);
        AssertWhole(session, "healed");
    }

    [Fact]
    public async Task Provision_HostToBeReplaced_EndsItsInstanceAndStartsAnother()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync();

        var replaced = await session.ProvisionAsync(Ec2Session.Options with { Replace = ["host-2"] });

        Assert.Equal(["host-2"], replaced.Created);
        Assert.NotEqual(before.Hosts[2].InstanceId, replaced.Hosts[2].InstanceId);
        Assert.NotEqual("running", session.StandIn.Instances.Single(instance => instance.Id == before.Hosts[2].InstanceId).State);
        AssertWhole(session, "replaced");
    }

    [Fact]
    public async Task Provision_HostStopped_StartsItAgain()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync();
        using var ec2 = session.StandIn.Client();
        await ec2.StopInstancesAsync(new Amazon.EC2.Model.StopInstancesRequest { InstanceIds = [before.Hosts[3].InstanceId] }, Cancellation);

        var after = await session.ProvisionAsync();

        Assert.Equal(before.Hosts[3].InstanceId, after.Hosts[3].InstanceId);
        Assert.Equal(1, after.Calls);
        Assert.Equal(5, session.Hosts.Running.Count);
    }

    [Fact]
    public async Task Provision_FromAnotherAddress_MovesTheDoor()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Ec2Session.Options with { SshFrom = null });
        var fleet = session.StandIn.Groups.Single(group => group.Name == "lab/fleet");
        Assert.Contains(fleet.Rules, rule => rule.Source == "192.0.2.1/32");

        await session.ProvisionAsync();

        Assert.DoesNotContain(fleet.Rules, rule => rule.Source == "192.0.2.1/32");
        Assert.Single(fleet.Rules, rule => rule.Source == "203.0.113.7/32");
    }

    [Fact]
    public async Task Provision_RuleAddedByHand_IsTakenBack()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();
        var fleet = session.StandIn.Groups.Single(group => group.Name == "lab/fleet");
        fleet.Rules.Add(new StandInRule("tcp", 22, 22, "Ipv6Ranges", "::/0", null));
        fleet.Rules.Add(new StandInRule("-1", -1, -1, "IpRanges", "0.0.0.0/0", null));

        await session.ProvisionAsync();

        Assert.Equal(5, fleet.Rules.Count);
        Assert.DoesNotContain(fleet.Rules, rule => rule.Source is "::/0" or "0.0.0.0/0");
    }

    [Fact]
    public async Task Provision_MoreAndFewerHosts_KeepsTheOthers()
    {
        await using var session = await Ec2Session.StartAsync();
        var four = await session.ProvisionAsync();

        var six = await session.ProvisionAsync(Ec2Session.Options with { Hosts = 6 });
        Assert.Equal(["host-5", "host-6"], six.Created);
        Assert.Equal(four.Hosts, six.Hosts.Take(5));

        var three = await session.ProvisionAsync(Ec2Session.Options with { Hosts = 3 });
        Assert.Equal(four.Hosts.Take(4), three.Hosts);
        Assert.Equal(4, session.Alive().Count);
    }

    [Fact]
    public async Task Provision_LaterWithANewerImage_KeepsTheImageOfTheDeployment()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 2 });
        session.StandIn.Options.Images.Add(new StandInImage("ami-00000000000000009", "debian-12-amd64-20261101-0001", DeploymentOptions.DebianOwner, "2026-11-01T00:00:00.000Z"));

        await session.ProvisionAsync(Ec2Session.Options with { Hosts = 3 });

        Assert.Equal(["ami-00000000000000002"], session.Alive().Select(instance => instance.ImageId).Distinct());
    }

    [Fact]
    public async Task Provision_ThreeOrchestrators_OpensTheFrontOfAllManagers()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync();

        await session.ProvisionAsync(Ec2Session.Options with { Orchestrators = 3, PostgresFile = "/etc/lab/postgres" });

        var front = session.StandIn.Groups.Single(group => group.Name == "lab/front");
        Assert.Equal(["host-1", "host-2", "orchestrator"],
            session.Alive().Where(instance => instance.GroupIds.Contains(front.Id)).Select(instance => instance.Tags["lab:host"]).Order(StringComparer.Ordinal));
    }

    private static void AssertWhole(Ec2Session session, string when)
    {
        Assert.True(session.Alive().Count == 5, $"{when}: {session.Alive().Count} instances");
        Assert.Equal(5, session.Alive().Select(instance => instance.Tags["lab:host"]).Distinct().Count());
        Assert.Equal(["lab/fleet", "lab/front"], session.StandIn.Groups.Select(group => group.Name).Order(StringComparer.Ordinal));
        Assert.Equal(5, session.StandIn.Groups.Single(group => group.Name == "lab/fleet").Rules.Count);
        Assert.Equal(3, session.StandIn.Groups.Single(group => group.Name == "lab/front").Rules.Count);
        Assert.Single(session.StandIn.Keys);
        Assert.Equal(session.Alive().Single(instance => instance.Tags["lab:host"] == "orchestrator").Id, Assert.Single(session.StandIn.Addresses).InstanceId);
    }
}
