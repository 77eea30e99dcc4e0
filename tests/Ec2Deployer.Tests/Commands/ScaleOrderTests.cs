using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Fewer hosts, while one of those that stay is gone: everything is checked and asked before work is taken off a host.</summary>
public sealed class ScaleOrderTests : CommandTest
{
    [Theory]
    [InlineData("n", (int)ExitCode.Failed)]
    [InlineData(null, (int)ExitCode.Usage)]
    public async Task Scale_DownAndNotAgreed_DrainsNothing(string? answer, int code)
    {
        await using var session = await Ec2Session.StartAsync();
        await PublishAndLoseAHostAsync(session);
        (Agreed, Answer) = (false, answer);

        var result = await RunAsync(session, "scale --hosts 2");

        Assert.Equal(code, result.Code);
        Assert.Contains("1 host (host-1) for 0.103 US dollars an hour", result.Error, StringComparison.Ordinal);
        Assert.Empty(Fleet.Calls);
        Assert.Equal(3, session.Alive().Count);
        Assert.Equal("3", session.DirectoryOf().ReadState().Options["--hosts"]);
    }

    [Fact]
    public async Task Scale_DownAndLaunchesAreNotAllowed_DrainsNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await PublishAndLoseAHostAsync(session);
        session.StandIn.Options.Denied.Add("RunInstances");

        var result = await RunAsync(session, "scale --hosts 2");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.Empty(Fleet.Calls);
    }

    [Fact]
    public async Task Scale_DownAndAgreed_DrainsThenStartsWhatIsMissing()
    {
        await using var session = await Ec2Session.StartAsync();
        await PublishAndLoseAHostAsync(session);

        var result = await RunAsync(session, "scale --hosts 2");

        Assert.True(result.Code == 0, result.Error);
        Assert.Equal(["drain host-3 among 3", "remove host-3 among 3", "remove host-1 among 2", "deploy 3"], Fleet.Calls);
        Assert.Equal(["host-1", "host-2", "orchestrator"], session.Alive().Select(instance => instance.Tags["lab:host"]).Order(StringComparer.Ordinal));
    }

    private async Task PublishAndLoseAHostAsync(Ec2Session session)
    {
        await RunAsync(session, "publish --hosts 3");
        await session.StandIn.KillAsync("host-1");
        Fleet.Calls.Clear();
    }
}
