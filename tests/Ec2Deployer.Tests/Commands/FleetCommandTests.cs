using System.Text.Json;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;
using Lab.Ec2Deployer.Tests.Aws;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Commands about a deployment that exists.</summary>
public sealed class FleetCommandTests : CommandTest
{
    [Fact]
    public async Task Destroy_NobodyToAsk_ChangesNothing()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "destroy");

        Assert.Equal(2, result.Code);
        Assert.Contains("--yes", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, session.Alive().Count);
    }

    [Theory]
    [InlineData("n", 1, 2)]
    [InlineData("y", 0, 0)]
    public async Task Destroy_Asked_DoesAsAnswered(string answer, int code, int left)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Answer = answer;

        var result = await RunAsync(session, "destroy");

        Assert.Equal(code, result.Code);
        Assert.Contains("security group", result.Out, StringComparison.Ordinal);
        Assert.Equal(left, session.Alive().Count);
    }

    [Fact]
    public async Task Destroy_Yes_LeavesNothingAndCanBeRepeated()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish");

        var first = await RunAsync(session, "destroy --yes");
        var second = await RunAsync(session, "destroy --yes");

        Assert.Equal((0, 0), (first.Code, second.Code));
        Assert.Contains("Nothing of 'lab' is left", first.Out, StringComparison.Ordinal);
        Assert.Contains("There is nothing of 'lab'", second.Out, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Groups);
        Assert.Equal(["audit.log"], Directory.GetFiles(session.DirectoryOf().Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("orchestrator", "orchestrator")]
    [InlineData("host-1", "worker-1,worker-2")]
    public async Task Status_HostGone_NamesItsContainersToo(string host, string containers)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await session.StandIn.KillAsync(host);

        var result = await RunAsync(session, "status --json");

        Assert.Equal((int)ExitCode.HostFailed, result.Code);
        using var status = JsonDocument.Parse(result.Out);
        Assert.Equal(containers.Split(','), status.RootElement.GetProperty("containers").EnumerateArray()
            .Where(container => container.GetProperty("health").GetString() == "gone").Select(container => container.GetProperty("name").GetString()));
        Assert.Equal([host], status.RootElement.GetProperty("hosts").EnumerateArray()
            .Where(one => one.GetProperty("problem").ValueKind is not JsonValueKind.Null).Select(one => one.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Publish_ReplaceOfNoHost_IsRefused()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "publish --replace worker-1");

        Assert.Equal((int)ExitCode.Usage, result.Code);
        Assert.Contains("--replace 'worker-1' is no host", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.StandIn.Instances);
    }

    [Fact]
    public async Task Publish_Replace_IsNotRemembered()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        await RunAsync(session, "publish --replace host-1");
        var ended = session.StandIn.Mutations.Count(action => action == "TerminateInstances");

        await RunAsync(session, "publish");

        Assert.Equal((1, 1), (ended, session.StandIn.Mutations.Count(action => action == "TerminateInstances")));
        Assert.Contains("remove host-1 among 1", Fleet.Calls);
    }

    [Fact]
    public async Task Status_Json_TellsStateAndCost()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "status --json");

        using var document = JsonDocument.Parse(result.Out);
        Assert.Equal(["running", "running"], document.RootElement.GetProperty("hosts").EnumerateArray().Select(host => host.GetProperty("state").GetString()!));
        Assert.Equal("v1", document.RootElement.GetProperty("version").GetString());
        Assert.True(document.RootElement.GetProperty("cost_usd").GetDecimal() >= 0);
    }

    [Fact]
    public async Task Unlock_LockHeld_IsBrokenOnlyOnceAgreed()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");
        Fleet.Lock = new FleetLock("ben@desk", "publish", DateTimeOffset.UtcNow.AddHours(-2));
        Answer = "n";
        Assert.Equal(5, (await RunAsync(session, "unlock")).Code);
        Assert.NotNull(Fleet.Lock);

        var result = await RunAsync(session, "unlock --yes");

        Assert.Equal(0, result.Code);
        Assert.Contains("The lock of ben@desk is broken", result.Out, StringComparison.Ordinal);
        Assert.Null(Fleet.Lock);
    }

    [Theory]
    [InlineData("rollback", "rollback -")]
    [InlineData("rollback v0", "rollback v0")]
    public async Task Rollback_WithAndWithoutVersion_IsHandedOn(string line, string call)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        Assert.Equal(0, (await RunAsync(session, line)).Code);

        Assert.Equal(call, Fleet.Calls[^1]);
    }

    [Fact]
    public async Task Logs_OfOneContainer_ComeWithoutItsName()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "logs --worker worker-2 --tail 7");

        Assert.Equal("ready\ntail 7\n", result.Out);
        Assert.Equal(2, (await RunAsync(session, "logs --worker worker-3")).Code);
    }

    [Fact]
    public async Task Status_NoDeployment_SaysHowToMakeOne()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "status --name other");

        Assert.Equal(1, result.Code);
        Assert.Contains("There is no deployment 'other' in us-east-1", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Ssh_Arguments_AcceptThePinnedKeyOnly()
    {
        var host = new DeployedHost("host-1", HostRole.Worker, true, "i-1", "198.51.100.7", "172.31.0.7", 2222, "admin", "SHA256:x");

        var arguments = SshCommand.Arguments(host, "/key", "/known", ["docker", "ps"]);

        Assert.Contains("StrictHostKeyChecking=yes", arguments);
        Assert.Contains("UserKnownHostsFile=\"/known\"", arguments);
        Assert.Equal(["-p", "2222", "admin@198.51.100.7", "docker", "ps"], arguments.TakeLast(5));
    }
}
