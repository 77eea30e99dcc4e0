using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>rollback</c>: a version kept on the hosts serves again. What a new host lacks of it is sent, where it is kept on this machine.</summary>
/// <param name="access">The way to the hosts.</param>
/// <param name="sources">The directory of the solution.</param>
/// <param name="http">For asking the base image's registry.</param>
/// <param name="times">How fast a rollout is.</param>
internal sealed class RollbackOperation(FleetAccess access, string sources, HttpClient http, StackTimes times)
{
    private const string Action = "rollback";

    /// <inheritdoc cref="IFleetDeployer.RollbackAsync"/>
    public Task<FleetReport> RunAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string? version, IProgressSink progress, CancellationToken cancellationToken) =>
        access.LockedAsync(hosts, release, progress, Action, session => RunAsync(session, version, cancellationToken), cancellationToken);

    private async Task<FleetReport> RunAsync(FleetSession session, string? version, CancellationToken cancellationToken)
    {
        session.RequireAll();
        var release = session.Release;
        var keys = FleetKeys.Open(release.StateDirectory);
        var surveys = await HostSurveys.ReadAllAsync(session, cancellationToken);
        var manager = HostSurveys.Manager(session, surveys);
        var commands = new RolloutCommands(release.Deployment);
        var store = new ReleaseStore(manager, commands);
        var target = await store.ReadAsync(await store.FindAsync(version, cancellationToken), cancellationToken);
        if (target.OrchestratorOnEachManager && !release.OrchestratorOnEachManager)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"Version {target.Version} has an orchestrator on each of {FleetShape.SeveralOrchestrators} hosts, of which clients reach one since one was asked for. Nothing was changed. 'publish --orchestrators {FleetShape.SeveralOrchestrators}' opens the others.");
        }

        var builder = new ImageBuilder(sources, release.StateDirectory, http);
        var orchestrator = await builder.FindAsync(target.Image("orchestrator"), cancellationToken);
        var worker = await builder.FindAsync(target.Image("worker-a"), cancellationToken);
        var targets = new List<ImageTarget>();
        if (orchestrator is not null) targets.Add(new(orchestrator, [.. session.OrchestratorHosts(target.OrchestratorOnEachManager)]));
        if (worker is not null) targets.Add(new(worker, [.. session.Hosts.Where(host => host.Role is HostRole.Worker)]));
        var sent = await new ImageTransfer(session, builder.LayerDirectory).RunAsync(targets, surveys, cancellationToken);
        var report = await new ReleaseSwitch(session, manager, commands, keys, times, access.Time).RunAsync(target, Action, changed: false, cancellationToken);
        return report with { ImagesSent = sent.Images, BytesSent = sent.Bytes };
    }
}
