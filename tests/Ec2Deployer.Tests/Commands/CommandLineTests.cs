using System.Text.Json;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What holds for every command line.</summary>
public sealed class CommandLineTests : CommandTest
{
    [Theory]
    [InlineData("plna", "plna")]
    [InlineData("plan --host 3", "--host")]
    [InlineData("plan --hosts four", "--hosts 'four'")]
    [InlineData("plan --hosts 0", "from 1 to 50")]
    [InlineData("plan --hosts 4 --orchestrators 3", "--postgres")]
    [InlineData("plan --ttl 5s", "such as 45m")]
    [InlineData("plan --ttl 5m", "from 10m to 30d")]
    [InlineData("plan --ssh-from everybody", "0.0.0.0/0")]
    [InlineData("plan --name ../escape", "no name")]
    [InlineData("plan --image ami-xyz", "hexadecimal")]
    [InlineData("plan --otlp collector", "such as http://")]
    [InlineData("plan --endpoint-url nowhere", "--endpoint-url")]
    [InlineData("scale", "--hosts N")]
    [InlineData("ssh", "host")]
    [InlineData("logs --tail -1", "--tail")]
    [InlineData("plan --model /", "--model '/'")]
    [InlineData("logs --tail ten", "--tail 'ten': a whole number is asked for.")]
    [InlineData("plan --region us-east-1a", "as us-east-1 does")]
    public async Task Any_ImpossibleCommandLine_EndsWithTwoAndSaysWhy(string line, string words)
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, line);

        Assert.Equal(2, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Out);
        Assert.Empty(session.StandIn.Requests);
    }

    [Theory]
    [InlineData("publish")]
    [InlineData("status")]
    [InlineData("destroy --yes")]
    public async Task Any_WithoutCredentials_EndsWithThreeAndSaysWhatToSet(string line)
    {
        await using var session = await Ec2Session.StartAsync();
        HasCredentials = false;

        var result = await RunAsync(session, line);

        Assert.Equal(3, result.Code);
        Assert.Contains("AWS_PROFILE", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_Root_DocumentsExitCodes()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "--help");

        Assert.Equal(0, result.Code);
        Assert.All(["0 done", "1 failed", "2 wrong command line", "3 AWS refused", "4 a host failed", "5 another deployer", "130 interrupted"],
            words => Assert.Contains(words, result.Out, StringComparison.Ordinal));
    }
}
