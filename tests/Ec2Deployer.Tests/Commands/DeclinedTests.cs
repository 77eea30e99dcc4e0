using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>What is declined or refused before it begins leaves nothing behind, and hosts that would end at once are not started.</summary>
public sealed class DeclinedTests : CommandTest
{
    [Theory]
    [InlineData("declined")]
    [InlineData("nobody to ask")]
    [InlineData("not allowed")]
    [InlineData("not built")]
    public async Task Publish_ThatDoesNotBegin_LeavesNothing(string why)
    {
        await using var session = await Ec2Session.StartAsync();
        (Agreed, Answer) = (false, why == "declined" ? "n" : null);
        if (why == "not allowed") session.StandIn.Options.Denied.Add("ImportKeyPair");
        if (why == "not built") Fleet.BuildFailure = new DeploymentException(ExitCode.Failed, "planted");

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.NotEqual(0, result.Code);
        Assert.Empty(Directory.GetFileSystemEntries(session.Config));
        Assert.Empty(session.StandIn.Mutations);
        session.StandIn.Options.Denied.Clear();
        var destroyed = await RunAsync(session, "destroy --yes");
        Assert.Equal((0, "There is nothing of 'lab' in us-east-1.\n"), (destroyed.Code, destroyed.Out));
    }

    [Fact]
    public async Task Publish_BroughtKeyAndDeclined_LeavesTheKeyThatWasThere()
    {
        await using var session = await Ec2Session.StartAsync();
        var own = DeploymentKey.Ensure(session.DirectoryOf());
        var brought = Path.Combine(session.Config, "brought");
        File.WriteAllText(brought, DeploymentKey.Make().PrivateKey);
        (Agreed, Answer) = (false, "n");

        var declined = await RunAsync(session, $"publish --hosts 1 --ssh-key {brought}");

        Assert.Equal(own, DeploymentKey.PublicKey(session.DirectoryOf()));
        Assert.Equal((int)ExitCode.Failed, declined.Code);
        Assert.Single(Directory.GetFiles(session.DirectoryOf().Path));

        Answer = "y";
        var agreed = await RunAsync(session, $"publish --hosts 1 --ssh-key {brought}");

        Assert.Equal(0, agreed.Code);
        Assert.Contains("id_ed25519.replaced-1", agreed.Error, StringComparison.Ordinal);
        Assert.Equal(DeploymentKey.PublicKey(brought), DeploymentKey.PublicKey(session.DirectoryOf()));
    }

    [Theory]
    [InlineData("publish --replace host-1", 3, "host-1 would end at its first boot")]
    [InlineData("scale --hosts 3", 4, "host-2, host-3 would end at their first boot")]
    [InlineData("publish --replace host-1", -2, "host-1 would end at its first boot")]
    public async Task Any_NewHostAtTheSharedEnd_IsRefusedBeforeAnythingEnds(string line, int minutes, string words)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        foreach (var instance in session.Alive()) instance.Tags["lab:end"] = HostEnd.Tag(DateTimeOffset.UtcNow.AddMinutes(minutes));
        var before = session.StandIn.Mutations.Count;

        var result = await RunAsync(session, line);

        Assert.Equal((int)ExitCode.Failed, result.Code);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Contains("Set another first: 'ttl 4h', or 'ttl never'.", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, session.StandIn.Mutations.Count);
        Assert.Equal(0, (await RunAsync(session, "ttl 4h")).Code);
        Assert.Equal(0, (await RunAsync(session, line)).Code);
    }
}
