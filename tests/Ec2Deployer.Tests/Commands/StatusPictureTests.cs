using System.Text.Json;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What the orchestrators say of their fleet, beside what EC2 and the hosts say.</summary>
public sealed class StatusPictureTests : CommandTest
{
    [Fact]
    public async Task Status_UnderLoad_ShowsTheLastMinuteAndWhatWorkersAreAt()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.Traffic = new FleetTraffic(12.34, 41.6);
        (Fleet.States["worker-1"], Fleet.States["worker-2"]) = ("busy", "draining");

        var text = await RunAsync(session, "status");
        var json = await RunAsync(session, "status --json");

        Assert.Contains("\n  last minute: 12.3 requests a second, 99 of 100 within 42 ms\n", text.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n  name +host +port +version +health +state +up\n", text.Out);
        Assert.Matches(@"\n  worker-2 +host-1 +8001 +v1 +healthy +draining +–\n", text.Out);
        using var status = JsonDocument.Parse(json.Out);
        Assert.Equal((12.34, 41.6), (status.RootElement.GetProperty("traffic").GetProperty("requests_per_second").GetDouble(), status.RootElement.GetProperty("traffic").GetProperty("p99_ms").GetDouble()));
        Assert.Equal([null, "busy", "draining"], status.RootElement.GetProperty("containers").EnumerateArray().Select(container => container.GetProperty("state").GetString()));
    }

    [Theory]
    [InlineData(null, 3)]
    [InlineData(true, 3)]
    [InlineData(false, 1)]
    public async Task Status_VersionWithAnotherNumberOfOrchestratorsServes_ExpectsThoseOfThatVersion(bool? several, int orchestrators)
    {
        await using var session = await Ec2Session.StartAsync();
        var database = Path.Combine(session.Config, "database");
        await File.WriteAllTextAsync(database, "Host=db.internal;Username=lab;Password=of-a-test", TestContext.Current.CancellationToken);
        var published = await RunAsync(session, $"publish --hosts 2 --orchestrators 3 --postgres {database}");
        Assert.True(published.Code == 0, published.Error);
        Fleet.OrchestratorOnEachManager = several;

        using var status = JsonDocument.Parse((await RunAsync(session, "status --json")).Out);

        Assert.Equal(orchestrators, status.RootElement.GetProperty("containers").EnumerateArray().Count(container => container.GetProperty("port").GetInt32() == 80));
    }

    [Fact]
    public async Task Status_OrchestratorThatDoesNotTell_LeavesItOut()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var text = await RunAsync(session, "status");
        var json = await RunAsync(session, "status --json");

        Assert.DoesNotContain("last minute", text.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n  name +host +port +version +health +up\n", text.Out);
        using var status = JsonDocument.Parse(json.Out);
        Assert.Equal(JsonValueKind.Null, status.RootElement.GetProperty("traffic").ValueKind);
    }
}
