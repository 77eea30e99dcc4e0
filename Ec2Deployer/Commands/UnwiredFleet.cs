using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Stands where the half that speaks to hosts is put in.</summary>
internal sealed class UnwiredFleet : IFleetDeployer
{
    private static DeploymentException Missing => new(ExitCode.Failed,
        "This build can plan, make and remove the hosts but not yet speak to them. The hosts that exist cost money until 'destroy'.");

    /// <inheritdoc/>
    public IReadOnlyList<RemoteStep> PlanRemote(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release) => [];

    /// <inheritdoc/>
    public Task<FleetReport> DeployAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) => throw Missing;

    /// <inheritdoc/>
    public Task<FleetStatus> StatusAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) =>
        Task.FromResult(new FleetStatus(null, [], [.. hosts.Select(host => new HostStatus(host.Name, false, "unknown", null, "not asked"))], [], null));

    /// <inheritdoc/>
    public IAsyncEnumerable<LogLine> LogsAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, LogsRequest request, CancellationToken cancellationToken) => throw Missing;

    /// <inheritdoc/>
    public Task<FleetReport> RollbackAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string? version, IProgressSink progress, CancellationToken cancellationToken) => throw Missing;

    /// <inheritdoc/>
    public Task DrainHostAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) => throw Missing;

    /// <inheritdoc/>
    public Task RemoveHostAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) => throw Missing;

    /// <inheritdoc/>
    public Task<FleetLock?> UnlockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) => throw Missing;
}
