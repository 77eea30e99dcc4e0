using System.Runtime.CompilerServices;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Tests.Commands;

/// <summary>Stands for the half that speaks to hosts: remembers what it was asked, and is healthy.</summary>
internal sealed class FakeFleet : IFleetDeployer
{
    public List<string> Calls { get; } = [];

    /// <summary>The host that has a newer version of Docker to install.</summary>
    public string? OlderDocker { get; set; }

    /// <summary>What was to be deployed.</summary>
    public List<ReleaseOptions> Releases { get; } = [];

    public FleetLock? Lock { get; set; }

    /// <summary>What orchestrators say of the last minute.</summary>
    public FleetTraffic? Traffic { get; set; }

    /// <summary>Whether what serves has an orchestrator on each manager, where that is known.</summary>
    public bool? OrchestratorOnEachManager { get; set; }

    /// <summary>What they say of their workers.</summary>
    public Dictionary<string, string> States { get; } = [];

    public Exception? Failure { get; set; }

    /// <summary>Asked before each call that changes hosts, in its words: an answer is what it fails with.</summary>
    public Func<string, Exception?>? Fails { get; set; }

    /// <summary>Told whenever the hosts are asked what runs.</summary>
    public Action? Asked { get; set; }

    /// <summary>Why the hosts cannot be asked.</summary>
    public Exception? StatusFailure { get; set; }

    /// <summary>What a deployment tells on its way.</summary>
    public Action<IProgressSink>? Telling { get; set; }

    /// <summary>What the build of the images fails with, or null.</summary>
    public Exception? BuildFailure { get; set; }

    /// <summary>How often the images were built.</summary>
    public int Builds { get; private set; }

    public IReadOnlyList<DeployedHost> Hosts { get; private set; } = [];

    // The real ones: they look at nothing but files.
    public void Check(ReleaseOptions release) => ReleaseFiles.Check(release, DateTimeOffset.UtcNow);

    public Task BuildAsync(ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        Builds++;
        return BuildFailure is { } failure ? throw failure : Task.CompletedTask;
    }

    public IReadOnlyList<RemoteStep> PlanRemote(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release) =>
        [.. hosts.Select(host => new RemoteStep(host.Name, "see that Docker runs", $"ssh-target {host.SshUser}@{host.SshAddress} docker version", TimeSpan.FromMinutes(1)))];

    public string PlanStack(ReleaseOptions release) => RemotePlan.Target(release, StackTimes.Default).Text;

    public Task<FleetReport> DeployAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        Calls.Add($"deploy {hosts.Count}");
        Releases.Add(release);
        Hosts = hosts;
        Telling?.Invoke(progress);
        return Failure is { } failure ? throw failure : Task.FromResult(Report(hosts, "v1"));
    }

    public Task<FleetStatus> StatusAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        Asked?.Invoke();
        return StatusFailure is { } failure ? throw failure : Task.FromResult(new FleetStatus("v1", ["v1", "v0"],
            [.. hosts.Select(host => new HostStatus(host.Name, true, "ready", host.Manager ? "reachable" : null, HasNewerDocker: host.Name == OlderDocker))],
            [.. Report(hosts, "v1").Containers.Select(container => container with { State = States.GetValueOrDefault(container.Name) })], Lock)
        {
            Traffic = Traffic,
            OrchestratorOnEachManager = OrchestratorOnEachManager,
        });
    }

    /// <summary>The way to the dashboard that is opened.</summary>
    public IDashboardTunnel? Dashboard { get; set; }

    public Task<IDashboardTunnel> OpenDashboardAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, int localPort, CancellationToken cancellationToken)
    {
        Calls.Add($"dashboard at {localPort}");
        return Failure is { } failure ? throw failure : Task.FromResult(Dashboard!);
    }

    public Task HarmAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, HarmRequest request, CancellationToken cancellationToken)
    {
        Calls.Add($"{request.Kind} {request.Container}");
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<LogLine> LogsAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, LogsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield return new LogLine(request.Container ?? "worker-1", "ready");
        yield return new LogLine(request.Container ?? "worker-2", $"tail {request.Tail}");
        if (request.Follow) await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public Task<FleetReport> RollbackAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string? version, IProgressSink progress, CancellationToken cancellationToken)
    {
        Call($"rollback {version ?? "-"}");
        return Task.FromResult(Report(hosts, version ?? "v0"));
    }

    public Task DrainHostAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken)
    {
        Call($"drain {host} among {hosts.Count}");
        return Task.CompletedTask;
    }

    public Task RemoveHostAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken)
    {
        Call($"remove {host} among {hosts.Count}");
        return Task.CompletedTask;
    }

    /// <summary>Hosts on which nothing can be set, and why.</summary>
    public Dictionary<string, string> Silent { get; } = [];

    /// <summary>When each host ends, as it was last told.</summary>
    public Dictionary<string, DateTimeOffset?> Ends { get; } = [];

    public Task WaitForAnswersAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        Calls.Add($"wait for {hosts.Count}");
        return Task.CompletedTask;
    }

    public Task<FleetReport> ResumeAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        Calls.Add($"resume {hosts.Count}");
        Hosts = hosts;
        return Failure is { } failure ? throw failure : Task.FromResult(Report(hosts, "v1"));
    }

    public Task<IReadOnlyDictionary<string, string>> SetEndAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, DateTimeOffset? end, CancellationToken cancellationToken)
    {
        foreach (var host in hosts.Where(host => !Silent.ContainsKey(host.Name))) Ends[host.Name] = end;
        return Task.FromResult<IReadOnlyDictionary<string, string>>(Silent.Where(one => hosts.Any(host => host.Name == one.Key)).ToDictionary());
    }

    public Task<FleetLock?> UnlockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        var held = Lock;
        Lock = null;
        return Task.FromResult(held);
    }

    private void Call(string words)
    {
        Calls.Add(words);
        if (Fails?.Invoke(words) is { } failure) throw failure;
    }

    private static FleetReport Report(IReadOnlyList<DeployedHost> hosts, string version) => new()
    {
        Version = version,
        Changed = true,
        Address = new Uri($"https://{hosts[0].SshAddress}/"),
        ApiKeyFile = "/home/ana/.config/lab/lab/api-key",
        AuthorizationFile = "/home/ana/.config/lab/lab/authorization",
        CertificateFile = "/home/ana/.config/lab/lab/certificate.pem",
        ServerName = "orchestrator",
        Containers = [.. FleetShape.Containers(new DeploymentOptions { Hosts = hosts.Max(host => FleetShape.WorkerHostNumber(host.Name) ?? 0) })
            .Where(container => hosts.Any(host => host.Name == container.Host))
            .Select(container => new ContainerStatus(container.Name, container.Host, container.Port, version, "healthy", null))],
        ImagesSent = 2,
        BytesSent = 61_400_000,
    };
}
