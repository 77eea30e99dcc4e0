using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Swarm;

/// <summary>Containers share their host's network, and the orchestrator's port may be shared (<c>SO_REUSEPORT</c>): by whom?</summary>
public sealed class SharedPortTests
{
    // Listens as Handover does, says on which port, and keeps it until its standard input ends.
    private const string Listen = """
        use Socket; socket(my $s, PF_INET, SOCK_STREAM, 0) or die; setsockopt($s, SOL_SOCKET, 15, pack("i", 1)) or die;
        bind($s, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die "$!\n"; listen($s, 5) or die "$!\n";
        $| = 1; print +(sockaddr_in(getsockname($s)))[0], "\n"; <STDIN>;
        """;

    [Fact]
    public async Task Listen_OnTheOrchestratorsPort_IsRefusedToWorkersAndNotToItsSuccessor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root on Linux may be several users");
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/perl"), "setpriv or perl is not installed");
        var users = Users();
        using var orchestrator = Start(users["orchestrator"], "0");
        var port = (await orchestrator.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!;
        Assert.NotEqual(0, int.Parse(port, CultureInfo.InvariantCulture));

        Assert.Equal("Address already in use", await SayAsync(users["worker-a"], port));
        Assert.Equal("Address already in use", await SayAsync(users["worker-b"], port));
        Assert.Equal(port, await SayAsync(users["orchestrator"], port));

        orchestrator.StandardInput.Close();
        await orchestrator.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Build_Services_HaveUsersOfTheirOwnAndNoneIsRoot()
    {
        var users = Users();

        Assert.Equal(StackFile.Services.Length, users.Values.Distinct().Count());
        Assert.DoesNotContain("0", users.Values);
    }

    [Fact]
    public void Build_Secrets_AreForTheOrchestratorsUserAlone()
    {
        var services = Services();

        var secret = Assert.Single(services["orchestrator"]!["secrets"]!.AsArray())!;
        Assert.Equal((Users()["orchestrator"], 0x100), (secret["uid"]!.GetValue<string>(), secret["mode"]!.GetValue<int>()));
        Assert.All((string[])["worker-a", "worker-b"], worker => Assert.Null(services[worker]!["secrets"]));
    }

    private static Dictionary<string, string> Users() => StackFile.Services.ToDictionary(name => name, name => Services()[name]!["user"]!.GetValue<string>().Split(':')[0]);

    private static JsonNode Services() => StackFile.Build(new()
    {
        Deployment = "lab",
        WorkerImage = "localhost:1/lab-worker:w1",
        OrchestratorImage = "localhost:1/lab-orchestrator:o1",
        Secrets = [new("key", "Access__Keys__client", "sha256:00")],
    }).Stack["services"]!;

    private static async Task<string> SayAsync(string user, string port)
    {
        using var process = Start(user, port);
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return said.Trim();
    }

    private static Process Start(string user, string port) =>
        Process.Start(new ProcessStartInfo("/usr/bin/setpriv", ["--reuid", user, "--regid", user, "--clear-groups", "/usr/bin/perl", "-e", Listen, port])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
}
