using System.Text.Json;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Commands;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Aws;
using Lab.Ec2Deployer.Tests.Ec2StandIn;
using Lab.Ec2Deployer.Tests.Snapshots;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Command lines as a user gives them, before the stand-in or before no AWS at all.</summary>
public sealed class CommandTests
{
    private readonly FakeFleet _fleet = new();
    private bool _credentials = true;
    private string? _answer;
    private CancellationToken _interrupt = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Plan_NoCredentials_ShowsEverythingAndAsksNobody()
    {
        await using var session = await Ec2Session.StartAsync();
        _credentials = false;

        var result = await RunAsync(session, "plan");

        Assert.Equal(0, result.Code);
        Assert.Empty(result.Error);
        Snapshot.Matches("plan.txt", result.Out);
        Assert.Empty(session.StandIn.Requests);
        Assert.Empty(Directory.GetFileSystemEntries(session.Config));
    }

    [Fact]
    public async Task Plan_Offline_AsksNobodyThoughThereAreCredentials()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "plan --offline");

        Assert.Equal(0, result.Code);
        Snapshot.Matches("plan.txt", result.Out);
        Assert.Empty(session.StandIn.Requests);
    }

    [Fact]
    public async Task Plan_Json_HasHostsContainersAndCost()
    {
        await using var session = await Ec2Session.StartAsync();
        _credentials = false;

        var result = await RunAsync(session, "plan --json");

        Snapshot.Matches("plan.json", result.Out);
        using var document = JsonDocument.Parse(result.Out);
        var containers = document.RootElement.GetProperty("containers").EnumerateArray().ToList();
        Assert.Equal(5, document.RootElement.GetProperty("hosts").GetArrayLength());
        Assert.Equal(9, containers.Count);
        Assert.Equal(9, containers.Select(container => (container.GetProperty("host").GetString(), container.GetProperty("port").GetInt32())).Distinct().Count());
        Assert.Equal(0.533767m, document.RootElement.GetProperty("hourly_usd").GetDecimal());
    }

    [Fact]
    public async Task Plan_Verbose_ShowsEachRequestTheDocumentAndTheCommands()
    {
        await using var session = await Ec2Session.StartAsync();
        _credentials = false;

        var result = await RunAsync(session, "plan --verbose --hosts 1 --ttl 4h --http-from 0.0.0.0/0 --ssh-from 203.0.113.7");

        Snapshot.Matches("plan-verbose.txt", result.Out);
    }

    [Fact]
    public async Task Plan_VerboseBeforeEc2_IsExactlyWhatPublishSends()
    {
        await using var session = await Ec2Session.StartAsync();
        // What is created first names what is created after it: planned again when all but the hosts exist.
        await session.ProvisionAsync(new DeploymentOptions { Hosts = 1 });
        var planned = await RunAsync(session, "plan --json --verbose --hosts 2");
        var sent = session.StandIn.Requests.Count;

        await RunAsync(session, "publish --hosts 2");

        using var document = JsonDocument.Parse(planned.Out);
        var requests = document.RootElement.GetProperty("requests").EnumerateArray()
            .Select(request => $"{request.GetProperty("action").GetString()}: {string.Join('&', request.GetProperty("fields").EnumerateObject().Select(field => $"{field.Name}={field.Value}"))}")
            .ToList();
        var mutating = session.StandIn.Requests.Skip(sent)
            .Where(request => !request["Action"]!.StartsWith("Describe", StringComparison.Ordinal) && request["Action"] != "GetConsoleOutput")
            .Select(request => $"{request["Action"]}: {string.Join('&', request.Fields.Where(field => field.Key is not ("Action" or "Version")).OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value}"))}")
            .ToList();
        // Now three hosts: host-1 is a manager too, but that is not EC2's business.
        Assert.Equal(["RunInstances"], requests.Select(request => request.Split(':')[0]));
        Assert.Equal(requests, mutating);
    }

    [Fact]
    public async Task Publish_Twice_SecondTellsThatNothingIsSentToEc2()
    {
        await using var session = await Ec2Session.StartAsync();

        var first = await RunAsync(session, "publish");
        var mutations = session.StandIn.Mutations.Count;
        var second = await RunAsync(session, "publish");

        Assert.Equal((0, 0), (first.Code, second.Code));
        Assert.Equal(mutations, session.StandIn.Mutations.Count);
        Assert.Equal(["deploy 5", "deploy 5"], _fleet.Calls);
        Assert.Contains("http://198.51.100.", first.Out, StringComparison.Ordinal);
        Assert.Contains("/home/ana/.config/lab/lab/api-key", first.Out, StringComparison.Ordinal);
        Assert.Contains("✓ creating host-4", first.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("creating", second.Error, StringComparison.Ordinal);
        // The caller's own address, since no other was given.
        Assert.Contains(session.StandIn.Groups.Single(group => group.Name == "lab/front").Rules, rule => rule.Source == "192.0.2.1/32");
        Assert.Equal(10, File.ReadAllLines(session.DirectoryOf().AuditFile).Length);
    }

    [Fact]
    public async Task Publish_OptionsOfTheFirstTime_HoldForTheSecond()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2 --ttl 4h --ssh-from 203.0.113.7");

        await RunAsync(session, "publish");
        var status = await RunAsync(session, "status");

        Assert.Equal(3, session.Alive().Count);
        Assert.Contains(session.StandIn.Groups.Single(group => group.Name == "lab/fleet").Rules, rule => rule.Source == "203.0.113.7/32");
        Assert.Equal(0, status.Code);
    }

    [Fact]
    public async Task Publish_FewerHostsThanThereAre_PointsToScale()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 3");

        var result = await RunAsync(session, "publish --hosts 1");

        Assert.Equal(2, result.Code);
        Assert.Contains("scale --hosts 1", result.Error, StringComparison.Ordinal);
        Assert.Equal(4, session.Alive().Count);
    }

    [Fact]
    public async Task Publish_HostDied_TakesTheDeadOneOutOfTheSwarmFirst()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 2");
        await session.StandIn.KillAsync("host-2");
        var status = await RunAsync(session, "status");
        _fleet.Calls.Clear();

        await RunAsync(session, "publish");

        Assert.Equal(4, status.Code);
        Assert.Contains("host-2", status.Out, StringComparison.Ordinal);
        Assert.Contains("gone: 'publish' puts another in its place", status.Out, StringComparison.Ordinal);
        Assert.Equal(["remove host-2 among 2", "deploy 3"], _fleet.Calls);
    }

    [Fact]
    public async Task Publish_HostsFail_EndsWithFourAndTheirWords()
    {
        await using var session = await Ec2Session.StartAsync();
        _fleet.Failure = new DeploymentException(ExitCode.HostFailed, "host-3 has no room. The old version serves.");

        var result = await RunAsync(session, "publish");

        Assert.Equal(4, result.Code);
        Assert.EndsWith("host-3 has no room. The old version serves.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_Interrupted_EndsWith130()
    {
        await using var session = await Ec2Session.StartAsync();
        using var interrupt = new CancellationTokenSource();
        _interrupt = interrupt.Token;
        session.StandIn.Options.LoseAnswer = action =>
        {
            if (action != "RunInstances") return false;
            interrupt.Cancel();
            return true;
        };

        var result = await RunAsync(session, "publish");

        Assert.Equal(130, result.Code);
        Assert.Contains("run the same command again to go on", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Publish_InAnotherRegion_IsRefused()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        var result = await RunAsync(session, "publish --hosts 1 --region eu-west-1");

        Assert.Equal(2, result.Code);
        Assert.Contains("is in us-east-1, not eu-west-1", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scale_UpAndDown_DrainsTheHighestFirst()
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 4");
        _fleet.Calls.Clear();

        await RunAsync(session, "scale --hosts 5");
        Assert.Equal(["remove host-5 among 5", "deploy 6"], _fleet.Calls);
        _fleet.Calls.Clear();

        var down = await RunAsync(session, "scale --hosts 3");

        Assert.Equal(0, down.Code);
        Assert.Equal(["drain host-5 among 6", "remove host-5 among 6", "drain host-4 among 6", "remove host-4 among 6", "deploy 4"], _fleet.Calls);
        Assert.Equal(4, session.Alive().Count);
    }

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
        _answer = answer;

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
        _fleet.Lock = new FleetLock("ben@desk", "publish", DateTimeOffset.UtcNow.AddHours(-2));
        _answer = "n";
        Assert.Equal(5, (await RunAsync(session, "unlock")).Code);
        Assert.NotNull(_fleet.Lock);

        var result = await RunAsync(session, "unlock --yes");

        Assert.Equal(0, result.Code);
        Assert.Contains("The lock of ben@desk is broken", result.Out, StringComparison.Ordinal);
        Assert.Null(_fleet.Lock);
    }

    [Theory]
    [InlineData("rollback", "rollback -")]
    [InlineData("rollback v0", "rollback v0")]
    public async Task Rollback_WithAndWithoutVersion_IsHandedOn(string line, string call)
    {
        await using var session = await Ec2Session.StartAsync();
        await RunAsync(session, "publish --hosts 1");

        Assert.Equal(0, (await RunAsync(session, line)).Code);

        Assert.Equal(call, _fleet.Calls[^1]);
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

    [Theory]
    [InlineData("plna", "plna")]
    [InlineData("plan --host 3", "--host")]
    [InlineData("plan --hosts four", "--hosts 'four'")]
    [InlineData("plan --hosts 0", "from 1 to 50")]
    [InlineData("plan --hosts 4 --orchestrators 3", "--postgres")]
    [InlineData("plan --ttl 5s", "such as 45m")]
    [InlineData("plan --ttl 5m", "from 10m to 30d")]
    [InlineData("plan --ssh-from everybody", "0.0.0.0/0")]
    [InlineData("plan --instance-type m7g.large", "ARM")]
    [InlineData("plan --name ../escape", "no name")]
    [InlineData("plan --image ami-xyz", "hexadecimal")]
    [InlineData("plan --otlp collector", "such as http://")]
    [InlineData("plan --endpoint-url nowhere", "--endpoint-url")]
    [InlineData("scale", "--hosts N")]
    [InlineData("ssh", "host")]
    [InlineData("logs --tail -1", "--tail")]
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
        _credentials = false;

        var result = await RunAsync(session, line);

        Assert.Equal(3, result.Code);
        Assert.Contains("AWS_PROFILE", result.Error, StringComparison.Ordinal);
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
    public async Task Help_Root_DocumentsExitCodes()
    {
        await using var session = await Ec2Session.StartAsync();

        var result = await RunAsync(session, "--help");

        Assert.Equal(0, result.Code);
        Assert.All(["0 done", "1 failed", "2 wrong command line", "3 AWS refused", "4 a host failed", "5 another deployer", "130 interrupted"],
            words => Assert.Contains(words, result.Out, StringComparison.Ordinal));
    }

    [Fact]
    public void Ssh_Arguments_AcceptThePinnedKeyOnly()
    {
        var host = new DeployedHost("host-1", HostRole.Worker, true, "i-1", "198.51.100.7", "172.31.0.7", 2222, "admin", "SHA256:x");

        var arguments = SshCommand.Arguments(host, "/key", "/known", ["docker", "ps"]);

        Assert.Contains("StrictHostKeyChecking=yes", arguments);
        Assert.Contains("UserKnownHostsFile=/known", arguments);
        Assert.Equal(["-p", "2222", "admin@198.51.100.7", "docker", "ps"], arguments.TakeLast(5));
    }

    private async Task<(int Code, string Out, string Error)> RunAsync(Ec2Session session, string line)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using var input = new StringReader($"{_answer}\n");
        var code = await DeployerApp.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), new Surroundings
        {
            Out = output,
            Error = error,
            In = input,
            InIsTerminal = _answer is not null,
            Ec2 = (_, _, _) => Task.FromResult(_credentials ? session.StandIn.Client() : null),
            ConfiguredRegion = () => null,
            Caller = new KnownCaller(),
            Fleet = () => _fleet,
            Home = session.Home,
            Pace = Ec2Session.Pace,
        }, _interrupt);
        return (code, output.ToString(), error.ToString());
    }

    private sealed class KnownCaller : ICallerAddress
    {
        public Task<string> AskAsync(CancellationToken cancellationToken) => Task.FromResult("192.0.2.1");
    }
}
