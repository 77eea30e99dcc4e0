using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Swarm;

public sealed class RemotePlanTests
{
    private static readonly ReleaseOptions Release = new()
    {
        Deployment = "lab",
        StateDirectory = "/nowhere",
        PrivateKeyFile = "/nowhere/key",
        BaseImage = "example.org/dotnet/aspnet:10.0",
    };

    // None of the files is there: a plan reads none.
    private static readonly ReleaseOptions Full = Release with
    {
        Orchestrators = 3,
        Otlp = new Uri("http://10.0.0.5:4317"),
        ModelDirectory = "/nowhere/mine",
        PostgresFile = "/nowhere/postgres",
        CertificateFile = "/nowhere/certificate.pem",
    };

    [Fact]
    public void Of_FiveHosts_ShowsEveryStepInOrder()
    {
        var steps = RemotePlan.Of([.. Enumerable.Range(0, 5).Select(Host)], Release, StackTimes.Default);

        Assert.Equal("""
            orchestrator: taking the lock
            orchestrator: looking at the host
            host-1: looking at the host
            host-2: looking at the host
            host-3: looking at the host
            host-4: looking at the host
            local: making the image of Orchestrator
            local: making the image of Worker
            orchestrator: sending the base layer
            orchestrator: sending the packages layer
            orchestrator: sending the model layer
            orchestrator: sending the code layer
            orchestrator: serving layers to the other hosts
            host-1: fetching layers from orchestrator
            host-2: fetching layers from orchestrator
            host-3: fetching layers from orchestrator
            host-4: fetching layers from orchestrator
            orchestrator: loading localhost:1/lab-orchestrator:<tag of Orchestrator>
            host-1: loading localhost:1/lab-worker:<tag of Worker>
            host-2: loading localhost:1/lab-worker:<tag of Worker>
            host-3: loading localhost:1/lab-worker:<tag of Worker>
            host-4: loading localhost:1/lab-worker:<tag of Worker>
            orchestrator: forming the Swarm
            orchestrator: asking for the Swarm's token
            host-1: joining the Swarm
            orchestrator: asking for the Swarm's token
            host-2: joining the Swarm
            orchestrator: asking for the Swarm's token
            host-3: joining the Swarm
            orchestrator: asking for the Swarm's token
            host-4: joining the Swarm
            orchestrator: writing the list of workers
            host-1: writing the list of workers
            host-2: writing the list of workers
            orchestrator: keeping the secret key
            orchestrator: keeping the secret admin-key
            orchestrator: keeping the secret certificate
            orchestrator: giving a node its role
            orchestrator: giving a node its role
            orchestrator: giving a node its role
            orchestrator: giving a node its role
            orchestrator: giving a node its role
            orchestrator: deploying the stack
            orchestrator: looking at worker-a
            orchestrator: looking at worker-b
            orchestrator: looking at orchestrator
            orchestrator: looking at the containers
            host-1: looking at the containers
            host-2: looking at the containers
            host-3: looking at the containers
            host-4: looking at the containers
            orchestrator: keeping the version
            orchestrator: reading the certificate
            """, string.Join('\n', steps.Select(step => $"{step.Host}: {step.Title}")), ignoreLineEndingDifferences: true);
        Assert.All(steps, step => Assert.True(step.Timeout > TimeSpan.Zero));
    }

    [Fact]
    public async Task Of_AnyStep_IsACommandLineThatAShellCanRead()
    {
        foreach (var step in RemotePlan.Of([.. Enumerable.Range(0, 2).Select(Host)], Release, StackTimes.Default))
        {
            if (step.Host == "local") continue;
            // The words in angle brackets, which a shell would take for redirections, stand for what the run tells.
            var line = step.Command.Replace('<', '_').Replace('>', '_');
            var shell = await ChildProcess.RunAsync("sh", ["-n", "-c", line]);
            Assert.True(shell.Code == 0, $"{step.Title}: {line}\n{shell.Error}");
        }
    }

    [Fact]
    public void Of_DeployingTheStack_ReadsThePlannedStack()
    {
        var step = RemotePlan.Of([.. Enumerable.Range(0, 2).Select(Host)], Full, StackTimes.Default).Single(step => step.Title == "deploying the stack");

        Assert.Equal(RemotePlan.Target(Full, StackTimes.Default).Text, step.Input);
    }

    [Fact]
    public void Target_EveryOption_IsWhatADeploymentBuildsButForItsHashes()
    {
        var planned = RemotePlan.Target(Full, StackTimes.Default).Text;

        // What a deployment does once images and secrets are there.
        var secrets = FleetSecret.Planned(Full).Select(secret => secret with { Content = "content" }).ToList();
        var built = StackFile.Build(StackContent.Of(
            Full, "localhost:1/lab-orchestrator:<tag of Orchestrator>", "localhost:1/lab-worker:<tag of Worker>", secrets, StackTimes.Default, "10.0.0.10"));
        var expected = StackFile.Services.Aggregate(built.Text, (text, service) => text.Replace(built.Spec(service), "<hash>", StringComparison.Ordinal));
        expected = secrets.Aggregate(expected, (text, secret) => text.Replace(secret.Name("lab"), $"lab-{secret.Kind}-<hash>", StringComparison.Ordinal));
        Assert.Equal(expected.Replace(built.Version, "<version>", StringComparison.Ordinal), planned);
        Assert.Contains("Models/mine", planned, StringComparison.Ordinal);
        Assert.Contains("lab-postgres-<hash>", planned, StringComparison.Ordinal);
    }

    private static DeployedHost Host(int number) => new(
        number == 0 ? "orchestrator" : $"host-{number}", number == 0 ? HostRole.Orchestrator : HostRole.Worker, number <= 2,
        $"i-{number}", $"192.0.2.{10 + number}", $"10.0.0.{10 + number}", 22, "admin", null);
}
