using System.Diagnostics;
using System.Reflection;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>What all tests on real hosts share: a base image, a key, a copy of the sources that may be changed, and what was built of them.</summary>
public sealed class RigFixture : IAsyncLifetime
{
    private static readonly string[] Sources =
        ["Worker", "Orchestrator", "ServiceDefaults", "Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig"];

    // Not in memory: the hosts' images lie below, and Docker's file system wants a real one.
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-rig-").FullName;
    private readonly HttpClient _http = new();
    private BaseImageRegistry? _registry;

    /// <summary>The copy of the sources.</summary>
    internal string SourceDirectory => Path.Combine(_directory, "src");

    /// <summary>Where hosts have their own directories.</summary>
    internal string HostsDirectory => _directory;

    /// <summary>Where the program keeps what it knows of deployments.</summary>
    internal string ConfigDirectory => ConfigDirectoryOf(0);

    /// <summary>The program, as built for itself and put among the copied sources: among the tests' files some are left out that their framework brings.</summary>
    internal string Program => Path.Combine(SourceDirectory, "Ec2Deployer", "bin", "Ec2Deployer.dll");

    // The program's own directory of the deployment "lab": what is built once is built for all.
    internal ReleaseOptions Release => new()
    {
        Deployment = "lab",
        StateDirectory = StateDirectoryIn(ConfigDirectory),
        PrivateKeyFile = Path.Combine(_directory, "key"),
        BaseImage = BaseImageRegistry.Reference,
    };

    internal string PublicKey => File.ReadAllText(Path.Combine(_directory, "key.pub"));

    internal FleetDeployer Deployer { get; private set; } = null!;

    private static string SolutionDirectory => typeof(RigFixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .First(attribute => attribute.Key == "SolutionDirectory").Value!;

    public async ValueTask InitializeAsync()
    {
        if (RigNamespace.Obstacle is not null) return;
        Directory.CreateDirectory(Release.StateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rig", "-f", Path.Combine(_directory, "key"));
        Directory.CreateDirectory(SourceDirectory);
        foreach (var source in Sources)
            await RunAsync("sh", "-c", $"cd {SolutionDirectory} && tar -c --exclude=bin --exclude=obj {source} | tar -x -C {SourceDirectory}");
        await File.WriteAllTextAsync(Path.Combine(SourceDirectory, "Lab.sln"), "");
        var built = AppContext.BaseDirectory.Replace(Path.Combine("tests", "Ec2Deployer.Tests"), "Ec2Deployer", StringComparison.Ordinal);
        await RunAsync("sh", "-c", $"mkdir -p {SourceDirectory}/Ec2Deployer/bin && cp -r {built}. {SourceDirectory}/Ec2Deployer/bin");
        _registry = await BaseImageRegistry.StartAsync(_directory);
        Deployer = new(SourceDirectory, _http, TimeProvider.System,
            new StackTimes { Interval = TimeSpan.FromSeconds(3), StartPeriod = TimeSpan.FromSeconds(10), Monitor = TimeSpan.FromSeconds(2), DeadlinePerHost = TimeSpan.FromSeconds(45) },
            new ConnectTimes(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(4)));
    }

    public async ValueTask DisposeAsync()
    {
        _registry?.Dispose();
        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
        await ValueTask.CompletedTask;
    }

    /// <summary>Where the program that runs in a lane keeps what it knows of deployments.</summary>
    internal string ConfigDirectoryOf(int lane) => Path.Combine(_directory, lane == 0 ? "config" : $"config-{lane}");

    /// <summary>Where it keeps the deployment of the usual name.</summary>
    internal static string StateDirectoryIn(string config) => Path.Combine(config, "lab", "lab");

    /// <summary>Builds the images of the sources as they are, so that a deployment finds them: compiling takes the cores that the hosts run on.</summary>
    /// <returns>The images.</returns>
    internal async Task<IReadOnlyList<PackedImage>> BuildAsync()
    {
        var builder = new ImageBuilder(SourceDirectory, Release.StateDirectory, _http);
        var images = new List<PackedImage>();
        foreach (var project in (ContainerProject[])[ContainerProject.Orchestrator, ContainerProject.Worker])
            images.Add(await builder.BuildAsync(project, Release.BaseImage, model: null, TestContext.Current.CancellationToken));
        return images;
    }

    /// <summary>Starts a host; number 0 is the orchestrator's. The first two worker hosts are managers.</summary>
    internal Task<RigHost> StartHostAsync(int number, bool docker = true) => RigHost.StartAsync(
        number == 0 ? "orchestrator" : $"host-{number}", 10 + number, number <= 2, HostsDirectory, PublicKey, docker);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {process.ExitCode}.");
    }
}

// Alone, after the others: hosts that share two cores with them do not start in time.
[CollectionDefinition(nameof(RigTests), DisableParallelization = true)]
public sealed class RigTests : ICollectionFixture<RigFixture>;
