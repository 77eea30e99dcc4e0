using System.Globalization;
using Lab.Ec2Deployer.Tests.Remote;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Hosts with private addresses alone, published and looked at through a bastion.</summary>
[Collection(nameof(RigTests))]
public sealed class BastionStoryTests(RigFixture rig, ITestOutputHelper output)
{
    [Fact]
    public async Task Publish_PrivateHostsThroughABastion_GoesThereAloneAndPrintsTheWay()
    {
        Assert.SkipWhen(RigNamespace.Obstacle is not null, RigNamespace.Obstacle ?? "");
        using var server = await LoopbackSshServer.StartAsync();
        var bastion = server.AsBastion();
        await using var story = await FleetStory.StartAsync(rig, output);
        story.Ec2.Options.MainRoute = "nat-1";
        story.Program.ProgramsBefore = Path.GetDirectoryName(bastion.Program);

        var run = await story.Program.RunAsync("publish", "--hosts", "1", "--bastion", bastion.ToString());
        Assert.True(run.Code == 0, run.Error);
        // A fleet whose address does not answer from here would be told.
        Assert.DoesNotContain("does not answer from here", run.Error, StringComparison.Ordinal);
        var address = story.Backend.Running["orchestrator"].Host.PrivateAddress;
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"ssh -N -L 8443:{address}:443 -p {bastion.Port} {bastion.User}@127.0.0.1 &"), run.Output, StringComparison.Ordinal);
        Assert.Contains("--connect-to ::127.0.0.1:8443 https://", run.Output, StringComparison.Ordinal);
        var ways = server.Calls.Select(call => call.Split(' ').SkipWhile(word => word != "-W").ElementAt(1)).ToHashSet();
        Assert.Equal([.. story.Backend.Running.Values.Select(host => $"{host.Host.PrivateAddress}:22").Append($"{address}:443").Order()], ways.Order());
        Assert.Empty(story.Ec2.Addresses);

        // Remembered: it is not given again.
        var before = server.Calls.Count;
        Assert.Equal(0, (await story.StatusAsync()).Code);
        Assert.True(server.Calls.Count > before);

        // Without the bastion: one line for each host that says so, and nothing is changed.
        server.Kill();
        var failed = await story.Program.RunAsync("status");
        Assert.Equal(4, failed.Code);
        Assert.Contains("gives no way", failed.Output + failed.Error, StringComparison.Ordinal);
        await story.DestroyAsync();
    }
}
