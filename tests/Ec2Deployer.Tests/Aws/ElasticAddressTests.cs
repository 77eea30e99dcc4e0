using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

/// <summary>Addresses that stay with the deployment, whatever becomes of its hosts.</summary>
public sealed class ElasticAddressTests
{
    private static readonly DeploymentOptions Small = Ec2Session.Options with { Hosts = 2 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Provision_EmptyAccount_PutsOneOnTheOrchestratorsHostAlone()
    {
        await using var session = await Ec2Session.StartAsync();

        var provisioned = await session.ProvisionAsync(Small with { Owner = "ana", Tags = new Dictionary<string, string?> { ["team"] = "red" } });

        var address = Assert.Single(session.StandIn.Addresses);
        Assert.Equal(("lab", "ana", "orchestrator", "red"), (address.Tags["lab:deployment"], address.Tags["lab:owner"], address.Tags["lab:host"], address.Tags["team"]));
        // In the call that made it: there was never one without.
        Assert.DoesNotContain("CreateTags", session.StandIn.Mutations);
        Assert.Equal(address.InstanceId, provisioned.Hosts[0].InstanceId);
        Assert.Equal([address.Ip], provisioned.Hosts.Select(host => host.SshAddress).Where(ip => ip == address.Ip));
        Assert.Equal(address.Ip, provisioned.Hosts[0].SshAddress);
        // Before the first call that costs: where there may be no more, nothing has begun.
        Assert.Equal("AllocateAddress", session.StandIn.Mutations[0]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Provision_OrchestratorsHostReplaced_MovesTheAddress(bool isDead)
    {
        await using var session = await Ec2Session.StartAsync();
        var first = await session.ProvisionAsync(Small);
        if (isDead) await session.StandIn.KillAsync("orchestrator");

        var second = await session.ProvisionAsync(Small with { Replace = isDead ? [] : ["orchestrator"] });

        Assert.NotEqual(first.Hosts[0].InstanceId, second.Hosts[0].InstanceId);
        Assert.Equal(first.Hosts[0].SshAddress, second.Hosts[0].SshAddress);
        Assert.Equal(second.Hosts[0].InstanceId, Assert.Single(session.StandIn.Addresses).InstanceId);
        Assert.Empty((await session.ProvisionAsync(Small)).Plan.Actions);
    }

    [Fact]
    public async Task Provision_DeploymentOfBefore_IsGivenOneAndTold()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync(Small with { ElasticIp = false });
        Assert.Empty(session.StandIn.Addresses);

        var after = await session.ProvisionAsync(Small);

        Assert.Contains(after.Plan.Notes, note => note.StartsWith($"The address of orchestrator changes once, from {before.Hosts[0].SshAddress}, which would be lost with its host", StringComparison.Ordinal));
        Assert.Empty(after.Plan.Starting);
        Assert.Equal(Assert.Single(session.StandIn.Addresses).Ip, after.Hosts[0].SshAddress);
        Assert.Equal(before.Hosts[0].InstanceId, after.Hosts[0].InstanceId);
        // An address that is in use costs what one of the pool does.
        Assert.Equal(before.Plan.Cost.HourlyUsd, after.Plan.Cost.HourlyUsd);
    }

    [Fact]
    public async Task Provision_ElasticIpNo_GivesItBackAndTellsTheChange()
    {
        await using var session = await Ec2Session.StartAsync();
        var before = await session.ProvisionAsync(Small);

        var after = await session.ProvisionAsync(Small with { ElasticIp = false });

        Assert.Empty(session.StandIn.Addresses);
        Assert.Contains(after.Plan.Notes, note => note.StartsWith($"The address of orchestrator changes from {before.Hosts[0].SshAddress}", StringComparison.Ordinal));
        Assert.NotEqual(before.Hosts[0].SshAddress, after.Hosts[0].SshAddress);
    }

    [Fact]
    public async Task Provision_ThreeOrchestrators_OneForEachAndBack()
    {
        await using var session = await Ec2Session.StartAsync();

        var three = await session.ProvisionAsync(Small with { Orchestrators = 3 });

        Assert.Equal(three.Hosts.Select(host => host.SshAddress).Order(StringComparer.Ordinal), session.StandIn.Addresses.Select(address => address.Ip).Order(StringComparer.Ordinal));
        Assert.Equal(["host-1", "host-2", "orchestrator"], three.Plan.Addresses.Order(StringComparer.Ordinal));
        var one = await session.ProvisionAsync(Small);
        // Clients of the others are served until the new version serves.
        Assert.Equal(3, session.StandIn.Addresses.Count);
        Assert.Equal(3, session.StandIn.Instances.Count(instance => instance.GroupIds.Count == 2));
        await session.WithdrawAsync(one);
        Assert.Equal(three.Hosts[0].SshAddress, Assert.Single(session.StandIn.Addresses).Ip);
        Assert.Equal(three.Hosts[0].SshAddress, one.Hosts[0].SshAddress);
        Assert.Single(session.StandIn.Instances, instance => instance.GroupIds.Count == 2);
        Assert.Empty((await session.ProvisionAsync(Small)).Plan.Actions);
    }

    [Fact]
    public async Task Provision_PrivateAddresses_NeedNone()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.MainRoute = "nat-1";

        await session.ProvisionAsync(Small with { UsePrivateAddress = true });

        Assert.Empty(session.StandIn.Addresses);
    }

    [Fact]
    public async Task Provision_QuotaUsedUp_IsRefusedBeforeAnythingIsMade()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.AddressQuota = 2;

        var refused = await Assert.ThrowsAsync<DeploymentException>(() => session.ProvisionAsync(Small with { Orchestrators = 3 }));

        Assert.Equal(ExitCode.AwsRefused, refused.Code);
        Assert.Equal("The account has 0 of the 2 Elastic IP addresses that it may have in us-east-1, and 3 more are needed. Nothing was started. Release one that nobody needs, ask for more under Service Quotas ('EC2-VPC Elastic IPs', L-0263D0A3, in us-east-1), or take --elastic-ip no.", refused.Message);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Provision_QuotaThatCannotBeKnown_IsToldWithTheWayOutAndNothingIsStarted()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.AddressQuota = 0;
        session.StandIn.Options.Denied.Add("DescribeAccountAttributes");

        var refused = await Assert.ThrowsAsync<DeploymentException>(() => session.ProvisionAsync(Small));

        Assert.Contains("AddressLimitExceeded", refused.InnerException is Amazon.EC2.AmazonEC2Exception { ErrorCode: { } code } ? code : "", StringComparison.Ordinal);
        Assert.Contains("the account may have no more Elastic IP addresses in us-east-1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("or take --elastic-ip no", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
        Assert.Empty(session.StandIn.Mutations);
    }

    [Fact]
    public async Task Provision_AnswerToTheAllocationLost_AllocatesOne()
    {
        await using var session = await Ec2Session.StartAsync();
        var lost = 0;
        session.StandIn.Options.LoseAnswer = action => action == "AllocateAddress" && lost++ == 0;

        await session.ProvisionAsync(Small);

        Assert.True(lost > 0);
        Assert.Single(session.StandIn.Addresses);
        Assert.Empty((await session.ProvisionAsync(Small)).Plan.Actions);
    }

    [Fact]
    public async Task Provision_SecondAddressOfAHost_IsGivenBack()
    {
        await using var session = await Ec2Session.StartAsync();
        var first = await session.ProvisionAsync(Small);
        using var ec2 = session.StandIn.Client();
        await ec2.AllocateAddressAsync(Ec2Requests.Allocate(Small, "orchestrator"), Cancellation);

        var second = await session.ProvisionAsync(Small);

        Assert.Equal(first.Hosts[0].SshAddress, second.Hosts[0].SshAddress);
        Assert.Equal(first.Hosts[0].SshAddress, Assert.Single(session.StandIn.Addresses).Ip);
    }

    // Of the same name, and not listed yet when this owner's is allocated.
    [Fact]
    public async Task Allocate_AnotherOwnersAddressComesMeanwhile_IsLeftAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        using var ec2 = session.StandIn.Client();
        session.StandIn.Options.Lag = 2;
        var theirs = await ec2.AllocateAddressAsync(Ec2Requests.Allocate(Small with { Owner = "ben" }, "orchestrator"), Cancellation);

        var own = await new Ec2Addresses(new(ec2, Ec2Session.Pace, TimeProvider.System))
            .AllocateAsync(Ec2Requests.Allocate(Small with { Owner = "ana" }, "orchestrator"), Small.Name, "orchestrator", Cancellation);

        Assert.Equal([theirs.PublicIp, own.Address], session.StandIn.Addresses.Select(address => address.Ip).Order());
    }

    [Fact]
    public async Task Provision_AddressOfSomebodyElse_IsLeftWhereItIsAndWhatItIs()
    {
        await using var session = await Ec2Session.StartAsync();
        var first = await session.ProvisionAsync(Small with { ElasticIp = false });
        using var ec2 = session.StandIn.Client();
        var theirs = await ec2.AllocateAddressAsync(new() { Domain = "vpc" }, Cancellation);
        session.StandIn.Options.Lag = 0;
        await ec2.DescribeAddressesAsync(Cancellation);
        await ec2.DescribeAddressesAsync(Cancellation);
        await ec2.DescribeAddressesAsync(Cancellation);
        await ec2.AssociateAddressAsync(new() { AllocationId = theirs.AllocationId, InstanceId = first.Hosts[0].InstanceId }, Cancellation);

        var second = await session.ProvisionAsync(Small);
        await session.DestroyAsync();

        Assert.Empty(second.Plan.Actions);
        Assert.Contains(second.Plan.Notes, note => note.Contains($"{theirs.PublicIp}, which is not the deployment's", StringComparison.Ordinal));
        Assert.Equal(theirs.PublicIp, second.Hosts[0].SshAddress);
        Assert.Equal(theirs.PublicIp, Assert.Single(session.StandIn.Addresses).Ip);
    }

    [Fact]
    public async Task Destroy_WithAnAddress_GivesItBackAndLooksThatItIsGone()
    {
        await using var session = await Ec2Session.StartAsync();
        await session.ProvisionAsync(Small);
        // EC2 refuses once more while it clears the host away.
        var busy = 2;
        session.StandIn.Options.Fault = action => action == "ReleaseAddress" && busy-- > 0 ? new Ec2Fault("InvalidIPAddress.InUse", "Address is in use.") : null;

        await session.DestroyAsync();

        Assert.Empty(session.StandIn.Addresses);
        Assert.Contains("ReleaseAddress", session.StandIn.Mutations);
    }
}
