using System.Text.Json;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>An option is heeded or refused, never taken and passed over.</summary>
public sealed class IgnoredOptionTests : CommandTest
{
    [Theory]
    [InlineData("iam --owner ana", "'iam' takes no --owner")]
    [InlineData("iam --endpoint-url http://127.0.0.1:1", "'iam' takes no --endpoint-url")]
    [InlineData("--owner ana iam", "'iam' takes no --owner")]
    [InlineData("state export /tmp/nosuch --region us-west-2", "'export' takes no --region")]
    [InlineData("state export /tmp/nosuch --owner ana", "'export' takes no --owner")]
    [InlineData("state import /tmp/nosuch --endpoint-url http://127.0.0.1:1", "'import' takes no --endpoint-url")]
    [InlineData("ssh host-1 --json", "'ssh' takes no --json")]
    [InlineData("bench --json", "'bench' takes no --json")]
    [InlineData("rollback --list v0", "leave out one of the two")]
    [InlineData("plan --image ami-00000000000000001 --image-name debian-*", "--image-name means nothing beside --image ami-00000000000000001")]
    [InlineData("publish --image ami-00000000000000001 --image-owner self", "--image-owner means nothing beside --image ami-00000000000000001")]
    [InlineData("publish --replace host-9", "--replace 'host-9' is no host of 'lab': there are orchestrator, host-1, host-2")]
    [InlineData("plan --replace host-9 --offline", "--replace 'host-9' is no host of 'lab'")]
    public async Task Any_OptionThatWouldMeanNothing_IsRefused(string line, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        var before = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Empty(result.Out);
        Assert.Equal(before, session.StandIn.Mutations.Count);
    }

    [Theory]
    [InlineData("", "lab/ana lab/ben other/ben")]
    [InlineData("--name lab", "lab/ana lab/ben")]
    [InlineData("--owner ben", "lab/ben other/ben")]
    [InlineData("--name lab --owner ben", "lab/ben")]
    [InlineData("--name none", "")]
    public async Task List_NameAndOwner_ShowsThoseAlone(string options, string shown)
    {
        await using var session = await Ec2Session.StartAsync();
        var elsewhere = session.Elsewhere();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "publish --hosts 1 --name other --owner ben");
        await RunAsync(elsewhere, "publish --hosts 1 --owner ben");

        using var list = JsonDocument.Parse((await RunAsync(session, $"list --json {options}")).Out);

        Assert.Equal(shown, string.Join(' ', list.RootElement.GetProperty("deployments").EnumerateArray()
            .Select(one => $"{one.GetProperty("name").GetString()}/{one.GetProperty("owner").GetString()}").Order(StringComparer.Ordinal)));
        Assert.Empty(list.RootElement.GetProperty("not_seen").EnumerateArray());
        elsewhere.Forget();
    }

    [Fact]
    public async Task List_NothingOfThatName_NamesIt()
    {
        await using var session = await Ec2Session.StartAsync();

        Assert.StartsWith("There is no deployment 'x' of ben in account 123456789012, 1 region asked.", (await RunAsync(session, "list --name x --owner ben")).Out, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.Usage, (await RunAsync(session, "list --name ../x")).Code);
    }
}
