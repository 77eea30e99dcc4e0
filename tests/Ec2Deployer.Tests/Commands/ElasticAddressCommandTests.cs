using System.Text.Json;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What commands tell of addresses that stay, and cost.</summary>
public sealed class ElasticAddressCommandTests : CommandTest
{
    [Fact]
    public async Task Status_AlwaysAndStopped_TellsTheAddressThatStays()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var running = await RunAsync(session, "status");
        await RunAsync(session, "stop");

        var stopped = await RunAsync(session, "status");
        var json = await RunAsync(session, "status --json");

        foreach (var told in (string[])[running.Out, stopped.Out])
            Assert.Contains("  Elastic IP, which stays and costs until 'destroy': 198.51.100.201 (orchestrator)\n", told, StringComparison.Ordinal);
        using var status = JsonDocument.Parse(json.Out);
        var address = Assert.Single(status.RootElement.GetProperty("addresses").EnumerateArray());
        Assert.Equal(("orchestrator", "198.51.100.201"), (address.GetProperty("host").GetString(), address.GetProperty("address").GetString()));
        Assert.Equal([true, false], status.RootElement.GetProperty("hosts").EnumerateArray().Select(host => host.GetProperty("address_stays").GetBoolean()));
    }

    [Fact]
    public async Task Plan_WithAndWithout_TellsWhatAnAddressCosts()
    {
        await using var session = await Ec2Session.StartAsync();

        var with = await RunAsync(session, "plan --hosts 1 --ttl 4h");
        var without = await RunAsync(session, "plan --hosts 1 --elastic-ip no");

        Assert.Contains("  addresses that stay: <public address of orchestrator> (orchestrator); each costs 0.0050 an hour, as another public address does, but also while its host is stopped\n", with.Out, StringComparison.Ordinal);
        Assert.Contains("+  address of orchestrator  Elastic IP address, which stays when its host is stopped or replaced\n", with.Out, StringComparison.Ordinal);
        Assert.Contains("  ! The Elastic IP address outlives its host: after the end it costs 0.005 US dollars an hour until 'destroy'.\n", with.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Elastic IP", without.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_AllHostsEnded_ShowsTheAddressThatStillCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await session.StandIn.EndAndForgetAsync();

        var listed = await RunAsync(session, "list");
        var status = await RunAsync(session, "status");
        var destroyed = await RunAsync(session, "destroy --yes");

        Assert.Matches(@"\n  lab   us-east-1  0        0        –    ana    0\.0050  here\n", listed.Out);
        Assert.StartsWith("Deployment 'lab' in us-east-1: 0.0050 US dollars an hour", status.Out, StringComparison.Ordinal);
        Assert.Contains("198.51.100.201 (orchestrator, on no host: 'publish' puts it on one)", status.Out, StringComparison.Ordinal);
        Assert.Matches("Elastic IP +eipalloc-[0-9a-f]+ +198", destroyed.Out);
        Assert.Empty(session.StandIn.Addresses);
    }

    [Fact]
    public async Task Publish_NotAllowedToAskForAddresses_DoesWithoutAndDestroyTellsWhatItCannotSee()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Denied.Add("DescribeAddresses");

        var published = await RunAsync(session, "publish --hosts 1");
        var destroyed = await RunAsync(session, "destroy --yes");

        Assert.Equal((0, (int)ExitCode.AwsRefused), (published.Code, destroyed.Code));
        Assert.Contains("The account does not allow ec2:DescribeAddresses: there is no Elastic IP address", published.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("AllocateAddress", session.StandIn.Mutations);
        Assert.Contains("whether an Elastic IP address of it is left, which would cost money, cannot be told", destroyed.Error, StringComparison.Ordinal);
        Assert.Empty(session.Alive());
        session.StandIn.Options.Denied.Clear();
        Assert.Equal(0, (await RunAsync(session, "destroy --yes")).Code);
    }

    [Fact]
    public async Task Publish_WithAnAddress_GivesTheReleaseTheAddressesThatStay()
    {
        await using var session = await Ec2Session.StartAsync();

        await RunAsync(session, "publish --hosts 1");

        Assert.Equal(["198.51.100.201"], Assert.Single(Fleet.Releases).Addresses);
    }
}
