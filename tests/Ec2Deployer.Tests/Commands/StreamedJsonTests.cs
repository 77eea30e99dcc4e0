using System.Text.Json;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Results that come one after another are one JSON object a line.</summary>
public sealed class StreamedJsonTests : CommandTest
{
    [Fact]
    public async Task Logs_Json_AreOneObjectALine()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "logs --json");

        Assert.Equal([("worker-1", "ready"), ("worker-2", "tail 100")], Lines(result.Out).Select(line => (line.GetProperty("container").GetString()!, line.GetProperty("text").GetString()!)));
    }

    [Fact]
    public async Task StatusWatch_Json_IsOneObjectALine()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        using var interrupt = new CancellationTokenSource();
        Interrupt = interrupt.Token;
        Fleet.Asked = interrupt.Cancel;

        var result = await RunAsync(session, "status --watch --json");

        Assert.Equal(0, result.Code);
        Assert.Equal("lab", Assert.Single(Lines(result.Out)).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Help_OfScale_ShowsNoDefaultForWhatMustBeGiven()
    {
        await using var session = await Ec2Session.StartAsync();

        var scale = await RunAsync(session, "scale --help");
        var plan = await RunAsync(session, "plan --help");

        Assert.Matches(@"--hosts <N> .*Must be given\.", scale.Out);
        Assert.DoesNotContain("[default: as many", scale.Out, StringComparison.Ordinal);
        Assert.Contains("[default: as many as there are, at first 4]", plan.Out, StringComparison.Ordinal);
    }

    private static List<JsonElement> Lines(string text) => [.. text.TrimEnd('\n').Split('\n').Select(line => JsonElement.Parse(line))];
}
