using System.Net.Sockets;
using System.Text.Json;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>A deployment that broke off halfway is shown as it is, and every command takes it up from there.</summary>
public sealed class BrokenHalfwayTests : CommandTest
{
    [Fact]
    public async Task Status_QuotaUsedUpAtTheThirdHost_ShowsWhatRunsAndCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        await BreakOffAtTheThirdHostAsync(session);

        var text = await RunAsync(session, "status");
        var json = await RunAsync(session, "status --json");

        Assert.Equal((4, 4), (text.Code, json.Code));
        Assert.Matches(@"^Deployment 'lab' in us-east-1: 0\.2\d+ US dollars an hour, 0\.\d\d spent, nothing ends it by itself\n", text.Out);
        Assert.Contains("its host key is not known here: 'publish' reads it", text.Out, StringComparison.Ordinal);
        using var status = JsonDocument.Parse(json.Out);
        Assert.InRange(status.RootElement.GetProperty("hourly_usd").GetDecimal(), 0.1m, 0.5m);
        Assert.Equal(
            [("orchestrator", "running"), ("host-1", "running"), ("host-2", "gone"), ("host-3", "gone"), ("host-4", "gone")],
            status.RootElement.GetProperty("hosts").EnumerateArray().Select(host => (host.GetProperty("name").GetString()!, host.GetProperty("state").GetString()!)));
        Assert.Equal(["unknown", "unknown", "unknown", "gone"], status.RootElement.GetProperty("containers").EnumerateArray().Take(4).Select(container => container.GetProperty("health").GetString()));
    }

    [Theory]
    [InlineData("publish --hosts 3", 4)]
    [InlineData("publish --hosts 1", 2)]
    [InlineData("publish --hosts 2 --replace host-1", 3)]
    [InlineData("scale --hosts 1", 2)]
    [InlineData("scale --hosts 3", 4)]
    public async Task Next_AfterThatFailure_TakesItUp(string line, int hosts)
    {
        await using var session = await Ec2Session.StartAsync();
        await BreakOffAtTheThirdHostAsync(session);

        var result = await RunAsync(session, line);

        Assert.True(result.Code == 0, result.Error);
        Assert.Equal($"deploy {hosts}", Fleet.Calls[^1]);
        Assert.Equal(hosts, session.Alive().Count);
        Assert.All(Fleet.Hosts, host => Assert.Equal(session.Hosts.HostKey(host.InstanceId), host.HostKey));
    }

    [Fact]
    public async Task Scale_DownWithoutPinnedKeys_ReadsThemAndDrains()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        session.DirectoryOf().WriteState(session.DirectoryOf().ReadState() with { HostKeys = [] });
        Fleet.Calls.Clear();

        var result = await RunAsync(session, "scale --hosts 1");

        Assert.Equal(0, result.Code);
        Assert.Equal(["drain host-2 among 3", "remove host-2 among 3", "deploy 2"], Fleet.Calls);
    }

    [Fact]
    public async Task Publish_ConsoleOfOneStaysEmpty_KeepsTheKeysOfTheOthers()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Fault = action =>
            action == "GetConsoleOutput" && session.StandIn.Requests.Count(request => request["Action"] == action) > 8 ? Ec2Fault.Unauthorized(action) : null;

        var result = await RunAsync(session, "publish --hosts 2");

        Assert.Equal((int)ExitCode.AwsRefused, result.Code);
        Assert.NotEmpty(session.DirectoryOf().ReadState().HostKeys);
    }

    [Fact]
    public async Task Status_OnlyAddressGroupsAndKeyWereMade_ShowsThatTheAddressAloneCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        session.StandIn.Options.Fault = action => action == "RunInstances" ? Ec2Fault.Unauthorized(action) : null;
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "status");

        Assert.Equal(4, result.Code);
        Assert.StartsWith("Deployment 'lab' in us-east-1: 0.0050 US dollars an hour, 0.00 spent, no host is left\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("gone: 'publish' puts another in its place", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_HostsCannotBeAsked_ShowsWhatEc2Tells()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.StatusFailure = new InvalidOperationException("the key is torn");

        var result = await RunAsync(session, "status");

        Assert.Equal(4, result.Code);
        Assert.Contains("The hosts cannot be asked: the key is torn", result.Error, StringComparison.Ordinal);
        Assert.Matches(@"^Deployment 'lab' in us-east-1: 0\.2\d+ US dollars an hour", result.Out);
        Assert.Contains("running", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_InstanceThatIsNoneOfTheHosts_IsListedForItCosts()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        session.Alive()[^1].Tags["lab:host"] = "orchestrator";
        session.Alive()[^2].Tags["lab:host"] = "strange";

        var result = await RunAsync(session, "status --json");

        using var status = JsonDocument.Parse(result.Out);
        var problems = status.RootElement.GetProperty("hosts").EnumerateArray().Where(host => host.GetProperty("instance_id").GetString() is not null)
            .ToDictionary(host => host.GetProperty("instance_id").GetString()!, host => (host.GetProperty("problem").GetString(), host.GetProperty("hourly_usd").GetDecimal() > 0.1m));
        Assert.Equal(("a second orchestrator: 'publish' ends it", true), problems[session.Alive()[^1].Id]);
        Assert.Equal(("none of the deployment's hosts: 'destroy' ends it", true), problems[session.Alive()[^2].Id]);
    }

    [Fact]
    public async Task Publish_HostDoesNotAnswerBySsh_ShowsTheEndOfItsConsole()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        var host = new HostFailedException("host-1", "nothing answers on 198.51.100.2:22", "Check it.", inner: new SocketException((int)SocketError.ConnectionRefused));
        Fleet.Failure = new DeploymentException(ExitCode.HostFailed, $"{host.Message} Nothing was changed. {host.Remedy}", host);

        var result = await RunAsync(session, "publish");

        Assert.Equal((int)ExitCode.HostFailed, result.Code);
        var id = session.Alive().Single(instance => instance.Tags["lab:host"] == "host-1").Id;
        Assert.Contains($"Check it.\nThe last lines of the console of host-1 ({id}):\n    [    0.000000] Linux version", result.Error, StringComparison.Ordinal);
    }

    private async Task BreakOffAtTheThirdHostAsync(Ec2Session session)
    {
        var launches = 0;
        session.StandIn.Options.Fault = action => action == "RunInstances" && ++launches > 2 ? Ec2Fault.VcpuLimit : null;
        Assert.Equal(3, (await RunAsync(session, "publish")).Code);
        session.StandIn.Options.Fault = null;
        Assert.Empty(session.DirectoryOf().ReadState().HostKeys);
    }
}
