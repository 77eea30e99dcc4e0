using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Tests.Ec2StandIn;

namespace Lab.Ec2Deployer.Tests.Aws;

/// <summary>A stand-in of EC2, the real SDK before it, and a directory of its own for what the deployer keeps.</summary>
internal sealed class Ec2Session : IAsyncDisposable
{
    private readonly string _config = Directory.CreateTempSubdirectory("lab-ec2-").FullName;

    private Ec2Session(StandIn standIn, InstantHosts hosts) => (StandIn, Hosts) = (standIn, hosts);

    /// <summary>Waits of milliseconds, limits of seconds: the stand-in answers at once.</summary>
    public static Ec2Pace Pace { get; } = new()
    {
        InitialDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(5),
        Poll = TimeSpan.FromMilliseconds(1),
        Faults = TimeSpan.FromSeconds(20),
        Consistency = TimeSpan.FromSeconds(20),
        Running = TimeSpan.FromSeconds(20),
        HostKeys = TimeSpan.FromSeconds(20),
        Ending = TimeSpan.FromSeconds(20),
    };

    public StandIn StandIn { get; }

    public InstantHosts Hosts { get; }

    public RecordedProgress Progress { get; } = new();

    /// <summary>What <c>XDG_CONFIG_HOME</c> would be.</summary>
    public string Config => _config;

    public string Home => Path.Combine(_config, "lab");

    public static DeploymentOptions Options { get; } = new() { SshFrom = "203.0.113.7/32", HttpFrom = "203.0.113.0/24" };

    public static async Task<Ec2Session> StartAsync()
    {
        var hosts = new InstantHosts();
        return new Ec2Session(await StandIn.StartAsync(hosts), hosts);
    }

    /// <summary>Another machine before the same EC2, with a directory of its own.</summary>
    public Ec2Session Elsewhere() => new(StandIn, Hosts);

    /// <summary>Deletes what this machine keeps, and leaves EC2.</summary>
    public void Forget() => Directory.Delete(_config, recursive: true);

    public DeploymentDirectory DirectoryOf(string name = "lab") => new(Home, name);

    /// <summary>The deployer as a new process would have it: nothing is remembered but what is in the directory.</summary>
    public Ec2Deployment Deployment(string name = "lab", Ec2Pace? pace = null) => new(StandIn.Client(), DirectoryOf(name), pace ?? Pace, TimeProvider.System);

    public Task<Provisioned> ProvisionAsync(DeploymentOptions? options = null, CancellationToken? cancellationToken = null) =>
        Deployment((options ?? Options).Name).ProvisionAsync(options ?? Options, "192.0.2.1", Progress, cancellationToken ?? TestContext.Current.CancellationToken);

    /// <summary>What a publish does last, once the release serves.</summary>
    public Task WithdrawAsync(Provisioned provisioned) =>
        Deployment(provisioned.Plan.Options.Name).WithdrawAsync(provisioned.Plan, Progress, TestContext.Current.CancellationToken);

    public async Task DestroyAsync(DeploymentOptions? options = null)
    {
        var name = (options ?? Options).Name;
        var operation = new DestroyOperation(Deployment(name), DirectoryOf(name));
        var belongings = await operation.ListAsync(options ?? Options, TestContext.Current.CancellationToken);
        await operation.RunAsync(options ?? Options, belongings, Progress, TestContext.Current.CancellationToken);
    }

    public List<StandInInstance> Alive(string name = "lab") =>
        [.. StandIn.Instances.Where(instance => instance.Tags["lab:deployment"] == name && instance.State is not ("terminated" or "shutting-down"))];

    public async ValueTask DisposeAsync()
    {
        await StandIn.DisposeAsync();
        Directory.Delete(_config, recursive: true);
    }
}
