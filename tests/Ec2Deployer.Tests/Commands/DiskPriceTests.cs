using System.Globalization;
using System.Text.Json;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Every price of what exists is that of what EC2 shows, not of what the options ask for.</summary>
public sealed class DiskPriceTests : CommandTest
{
    private const decimal Host = 0.09576m + 0.005m;
    private const decimal Gib = 0.08m / 730;

    [Fact]
    public async Task Publish_AnotherDiskForHostsThatRun_SaysThatItDoesNotChangeAndKeepsThePrice()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "publish --disk 500");

        Assert.Equal(0, result.Code);
        Assert.Contains("host-1 keeps the disk it was started with (16 GiB, not 500 GiB): that does not change; 'publish --replace host-1' puts another host in its place.", result.Error, StringComparison.Ordinal);
        Assert.Contains("they cost 0.205 US dollars an hour", result.Out, StringComparison.Ordinal);
        await AllTellAsync(session, 2 * Host + 32 * Gib);
    }

    [Fact]
    public async Task Scale_AnotherDiskForNewHosts_IsCountedOnThoseAlone()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "publish --disk 500");

        await RunAsync(session, "scale --hosts 2");

        await AllTellAsync(session, 3 * Host + (32 + 500) * Gib);
    }

    [Fact]
    public async Task Any_DiskOfNoHost_IsCountedAndNamed()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var volume = session.StandIn.Detach(1000);

        Assert.Contains($"! {volume.Id}, a disk of 1000 GiB, belongs to no host and costs all the same: 'destroy' removes it", (await RunAsync(session, "status")).Out, StringComparison.Ordinal);
        await AllTellAsync(session, 2 * Host + (32 + 1000) * Gib);
        Assert.Contains("Their disks, 1 of no host and the Elastic IP address cost 0.118 US dollars an hour (86.21 a month).", (await RunAsync(session, "stop")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Any_DiskOfAnotherType_IsUnknownAndNamed()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.StandIn.Volumes.First().Type = "io2";

        var result = await RunAsync(session, "status");

        Assert.StartsWith("Deployment 'lab' in us-east-1: an unknown price (no price is known in us-east-1 for 16 GiB io2 disk), an unknown sum spent", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_DisksMayNotBeAskedFor_TakesThemFromTheOptionsAndSaysSo()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        session.StandIn.Options.Denied.Add("DescribeVolumes");

        var result = await RunAsync(session, "status");

        Assert.Equal(0, result.Code);
        Assert.Contains("does not allow ec2:DescribeVolumes: each host's disk is taken to have 16 GiB", result.Error, StringComparison.Ordinal);
        Assert.Contains("0.205 US dollars an hour", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("me-central-1", "m5.large", "16 GiB gp3 disk")]
    [InlineData("ap-south-2", "m7i-flex.large", "m7i-flex.large, 16 GiB gp3 disk, public IPv4 address")]
    public async Task Any_RegionWithoutPrices_NamesWhatHasNone(string region, string type, string what)
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Regions.Clear();
        session.StandIn.Options.Regions.Add(region);
        var words = $"no price is known in {region} for {what}";
        var disks = $"no price is known in {region} for 16 GiB gp3 disk{(what.EndsWith("address", StringComparison.Ordinal) ? ", public IPv4 address" : "")}";
        (Agreed, Answer) = (false, "y");

        var published = await RunAsync(session, $"publish --hosts 1 --region {region} --instance-type {type}");

        Assert.Equal(0, published.Code);
        Assert.Contains($"Start 2 hosts at an unknown price ({words})? [y/N]", published.Error, StringComparison.Ordinal);
        Assert.Contains($"they cost an unknown price ({words})", published.Out, StringComparison.Ordinal);
        Assert.Contains($"  together unknown: {words}\n", (await RunAsync(session, "plan")).Out, StringComparison.Ordinal);
        Assert.Contains($": an unknown price ({words}), ", (await RunAsync(session, "status")).Out, StringComparison.Ordinal);
        Assert.Contains($"  ! unknown is the price of 'lab', for {words}\n", (await RunAsync(session, $"list --region {region}")).Out, StringComparison.Ordinal);
        Assert.Contains($"They cost an unknown price ({words})", (await RunAsync(session, "ttl 4h")).Error, StringComparison.Ordinal);
        Assert.Contains($"Their disks and the Elastic IP address cost an unknown price ({disks})", (await RunAsync(session, "stop")).Out, StringComparison.Ordinal);
        Assert.Contains($"The hosts cost an unknown price ({words}) while they run.", (await RunAsync(session, "start")).Error, StringComparison.Ordinal);
        foreach (var line in (string[])["status --json", $"list --json --region {region}"])
        {
            using var json = JsonDocument.Parse((await RunAsync(session, line)).Out);
            var one = json.RootElement.TryGetProperty("deployments", out var all) ? all[0] : json.RootElement;
            Assert.Equal((JsonValueKind.Null, what), (one.GetProperty("hourly_usd").ValueKind, string.Join(", ", one.GetProperty("unknown_prices").EnumerateArray().Select(price => price.GetString()))));
        }
    }

    [Fact]
    public async Task Any_SameAmount_IsWrittenInTheSameDigits()
    {
        await using var session = await Ec2Session.StartAsync();
        (Agreed, Answer) = (false, "y");

        var published = await RunAsync(session, "publish --hosts 1 --ttl 4h");
        var stopped = await RunAsync(session, "stop");

        Assert.Contains("Start 2 hosts for 0.205 US dollars an hour, 0.82 until they end after 4h", published.Error, StringComparison.Ordinal);
        Assert.Contains("and cost 0.205 US dollars an hour until then", published.Out, StringComparison.Ordinal);
        Assert.Contains("together until they end after 4h: 0.82\n", (await RunAsync(session, "plan --offline --hosts 1 --ttl 4h --name other")).Out, StringComparison.Ordinal);
        Assert.Contains("cost 0.0085 US dollars an hour (6.21 a month)", stopped.Out, StringComparison.Ordinal);
        Assert.StartsWith("Deployment 'lab' in us-east-1: 0.0085 US dollars an hour, 0.00 spent", (await RunAsync(session, "status")).Out, StringComparison.Ordinal);
        var listed = await RunAsync(session, "list");
        Assert.Contains("  0.0085  here\n", listed.Out, StringComparison.Ordinal);
        Assert.Contains("together 0.0085 US dollars an hour", listed.Out, StringComparison.Ordinal);
    }

    // Of each command that tells what exists, in its own words.
    private async Task AllTellAsync(Ec2Session session, decimal hourly)
    {
        var rate = hourly.ToString("F3", CultureInfo.InvariantCulture);
        Assert.Contains($": {rate} US dollars an hour, ", (await RunAsync(session, "status")).Out, StringComparison.Ordinal);
        Assert.Contains($"together {rate} US dollars an hour", (await RunAsync(session, "list")).Out, StringComparison.Ordinal);
        foreach (var line in (string[])["status --json", "list --json", "plan --json"])
        {
            using var json = JsonDocument.Parse((await RunAsync(session, line)).Out);
            var one = json.RootElement.TryGetProperty("deployments", out var all) ? all[0] : json.RootElement;
            Assert.Equal(Math.Round(hourly, 6), one.GetProperty("hourly_usd").GetDecimal());
        }

        Fleet.Failure = new InvalidOperationException("planted");
        Assert.Contains("hosts run at ", (await RunAsync(session, "publish")).Error, StringComparison.Ordinal);
        Fleet.Failure = null;
    }
}
