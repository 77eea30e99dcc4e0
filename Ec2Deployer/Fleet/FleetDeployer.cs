using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Everything that happens on hosts, over SSH: which class does what.</summary>
/// <param name="sources">The directory of the solution, from which images are built.</param>
/// <param name="http">For asking the base image's registry.</param>
/// <param name="time">The clock.</param>
/// <param name="stackTimes">How fast a rollout is.</param>
/// <param name="connectTimes">How long the way to a host may take.</param>
internal sealed class FleetDeployer(string sources, HttpClient http, TimeProvider time, StackTimes stackTimes, ConnectTimes connectTimes) : IFleetDeployer
{
    private readonly FleetAccess _access = new(connectTimes, time);
    private ReleaseImages? _images;

    /// <inheritdoc/>
    public IReadOnlyList<RemoteStep> PlanRemote(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release) => RemotePlan.Of(hosts, release, stackTimes);

    /// <inheritdoc/>
    public string PlanStack(ReleaseOptions release) => RemotePlan.Target(release, stackTimes).Text;

    /// <inheritdoc/>
    public void Check(ReleaseOptions release) => ReleaseFiles.Check(release, time.GetUtcNow());

    /// <inheritdoc/>
    public async Task BuildAsync(ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) =>
        _images ??= await ReleaseImages.BuildAsync(sources, http, release, progress, time, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetReport> DeployAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) =>
        new DeployOperation(_access, sources, http, stackTimes, _images).RunAsync(hosts, release, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetReport> RollbackAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string? version, IProgressSink progress, CancellationToken cancellationToken) =>
        new RollbackOperation(_access, sources, http, stackTimes).RunAsync(hosts, release, version, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetStatus> StatusAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) =>
        new StatusOperation(_access).RunAsync(hosts, release, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<LogLine> LogsAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, LogsRequest request, CancellationToken cancellationToken) =>
        new LogsOperation(_access).RunAsync(hosts, release, request, cancellationToken);

    /// <inheritdoc/>
    public Task<IDashboardTunnel> OpenDashboardAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, int localPort, CancellationToken cancellationToken) =>
        new DashboardOperation(_access).RunAsync(hosts, release, localPort, cancellationToken);

    /// <inheritdoc/>
    public Task HarmAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, HarmRequest request, CancellationToken cancellationToken) =>
        new HarmOperation(_access).RunAsync(hosts, release, request, cancellationToken);

    /// <inheritdoc/>
    public Task DrainHostAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) =>
        new DrainOperation(_access).RunAsync(hosts, release, host, progress, cancellationToken);

    /// <inheritdoc/>
    public Task RemoveHostAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) =>
        new RemoveOperation(_access).RunAsync(hosts, release, host, progress, cancellationToken);

    /// <inheritdoc/>
    public Task WaitForAnswersAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) =>
        new ResumeOperation(_access, stackTimes).WaitForAnswersAsync(hosts, release, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetReport> ResumeAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) =>
        new ResumeOperation(_access, stackTimes).RunAsync(hosts, release, progress, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, string>> SetEndAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, DateTimeOffset? end, CancellationToken cancellationToken) =>
        new EndOperation(_access).RunAsync(hosts, release, end, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetLock?> LockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) =>
        new LockOperation(_access).RunAsync(hosts, release, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetLock?> UnlockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) =>
        new UnlockOperation(_access).RunAsync(hosts, release, cancellationToken);
}
