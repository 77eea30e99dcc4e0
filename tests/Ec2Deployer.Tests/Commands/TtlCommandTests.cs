using System.Globalization;
using System.Text.Json;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>The end of hosts that exist: set, put off, taken off, and told.</summary>
public sealed class TtlCommandTests : CommandTest
{
    [Fact]
    public async Task Publish_WithoutAnEnd_EndsWithWhatItCostsAndHowToEndIt()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Matches(@"\nNothing ends these hosts by itself, and they cost 0\.\d+ US dollars an hour: 'ttl 4h' sets an end, after 'stop' only disks and Elastic IP addresses cost, 'destroy' removes everything\.\n$", result.Out);
    }

    [Fact]
    public async Task Publish_WithAnEnd_EndsWithTheMoment()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "publish --hosts 1 --ttl 4h --name other");

        Assert.Matches(@"\nThese hosts end by themselves at 20\d\d-\d\d-\d\d \d\d:\d\d UTC, .*'ttl \+2h --name other' puts the end off.*\n$", result.Out);
    }

    [Fact]
    public async Task Ttl_OfRunningHosts_IsSetOnThemAndInTheirTagsAndShown()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var before = DateTimeOffset.UtcNow;

        var result = await RunAsync(session, "ttl 4h");

        Assert.Equal(0, result.Code);
        Assert.Equal(["host-1", "orchestrator"], Fleet.Ends.Keys.Order(StringComparer.Ordinal));
        var end = Assert.Single(Fleet.Ends.Values.Distinct())!.Value;
        Assert.InRange(end, before.AddHours(4), DateTimeOffset.UtcNow.AddHours(4).AddMinutes(1));
        Assert.All(session.Alive(), instance => Assert.Equal((Tag(end), "4h"), (instance.Tags["lab:end"], instance.Tags["lab:ttl"])));
        var shown = end.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        Assert.Equal($"orchestrator, host-1 end by themselves at {shown}.\n", result.Out);
        Assert.Contains($"ends {shown} (in 4h", (await RunAsync(session, "status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ttl_PutOff_CountsFromTheEndThatTheLaunchHasSet()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 4h");
        session.StandIn.Age(TimeSpan.FromHours(3));

        await RunAsync(session, "ttl +2h");

        Assert.All(Fleet.Ends.Values, end => Assert.InRange(end!.Value, DateTimeOffset.UtcNow.AddHours(3).AddMinutes(-2), DateTimeOffset.UtcNow.AddHours(3).AddMinutes(2)));
    }

    [Fact]
    public async Task Ttl_Never_TakesItOffHostsTagsAndHostsToCome()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 4h");

        var result = await RunAsync(session, "ttl never");
        var published = await RunAsync(session, "publish --replace host-1");

        Assert.Equal("Nothing ends orchestrator, host-1 by itself any more.\n", result.Out);
        Assert.All(Fleet.Ends.Values, Assert.Null);
        Assert.All(session.Alive(), instance => Assert.DoesNotContain(instance.Tags.Keys, key => key is "lab:ttl" or "lab:end"));
        Assert.DoesNotContain("lab-ttl", Named(session, "host-1").UserData, StringComparison.Ordinal);
        Assert.Contains("Nothing ends these hosts by itself", published.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ttl_ThenAnotherHost_EndsWithTheOthers()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 1h");
        await RunAsync(session, "ttl 8h");

        var result = await RunAsync(session, "scale --hosts 2");

        var end = Fleet.Ends["host-1"]!.Value;
        Assert.Equal(Tag(end), Named(session, "host-2").Tags["lab:end"]);
        Assert.Contains($"end='{end.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC'", Named(session, "host-2").UserData, StringComparison.Ordinal);
        Assert.DoesNotContain("keeps the end", result.Error, StringComparison.Ordinal);
        Assert.Contains("These hosts end by themselves at", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ttl_HostThatDoesNotAnswer_IsToldAndKeepsItsTag()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        Fleet.Silent["host-2"] = "198.51.100.3:22 does not answer";

        var result = await RunAsync(session, "ttl 4h");

        Assert.Equal((int)ExitCode.HostFailed, result.Code);
        Assert.Contains("host-2 keeps its end (never): 198.51.100.3:22 does not answer", result.Out, StringComparison.Ordinal);
        Assert.Equal(["host-1", "orchestrator"], session.Alive().Where(instance => instance.Tags.ContainsKey("lab:end")).Select(instance => instance.Tags["lab:host"]).Order(StringComparer.Ordinal));
        Assert.Contains("but nothing ends host-2", (await RunAsync(session, "status")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ttl_OfOneHost_LeavesTheOthers()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");

        await RunAsync(session, "ttl 30m host-2");

        Assert.Equal(["host-2"], Fleet.Ends.Keys);
        Assert.DoesNotContain("--ttl", session.DirectoryOf().ReadState().Options.Keys);
    }

    [Fact]
    public async Task Ttl_OfOneHost_IsNotThatOfHostsToCome()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await RunAsync(session, "ttl 30m host-2");

        await RunAsync(session, "scale --hosts 3");

        Assert.DoesNotContain("lab:end", Named(session, "host-3").Tags.Keys);
    }

    [Theory]
    [InlineData("ttl 5m", "from 10m to 30d from now")]
    [InlineData("ttl 31d", "from 10m to 30d from now")]
    [InlineData("ttl +31d", "from 10m to 30d from now")]
    [InlineData("ttl soon", "such as 45m, 4h or 1d12h")]
    [InlineData("ttl 0h", "such as 45m, 4h or 1d12h")]
    [InlineData("ttl 4h host-9", "There is no host 'host-9'. There are host-1, orchestrator.")]
    [InlineData("ttl", "time")]
    public async Task Ttl_Impossible_ChangesNothingAndSaysWhy(string line, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 4h");
        var mutations = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(Fleet.Ends);
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
    }

    [Fact]
    public async Task Ttl_PutOffWhereThereIsNone_SaysHowToSetOne()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "ttl +2h");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("'ttl 2h' sets one", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_Json_TellsRateSumAndEnd()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1 --ttl 4h");
        session.StandIn.Age(TimeSpan.FromHours(2));

        using var status = JsonDocument.Parse((await RunAsync(session, "status --json")).Out);

        var hourly = status.RootElement.GetProperty("hourly_usd").GetDecimal();
        Assert.InRange(hourly, 0.1m, 0.5m);
        Assert.InRange(status.RootElement.GetProperty("cost_usd").GetDecimal(), 1.99m * hourly, 2.05m * hourly);
        Assert.All(status.RootElement.GetProperty("hosts").EnumerateArray(), host =>
            Assert.InRange(host.GetProperty("ends_at").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddHours(2).AddMinutes(-2), DateTimeOffset.UtcNow.AddHours(2)));
    }

    private static string Tag(DateTimeOffset end) => end.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);

    private static StandInInstance Named(Ec2Session session, string host) => session.Alive().Single(instance => instance.Tags["lab:host"] == host);
}
