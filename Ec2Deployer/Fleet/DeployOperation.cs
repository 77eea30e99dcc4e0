using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The hosts' half of <c>publish</c>: from hosts with SSH to healthy containers of a release built from the sources.</summary>
/// <param name="access">The way to the hosts.</param>
/// <param name="sources">The directory of the solution, from which images are built.</param>
/// <param name="http">For asking the base image's registry.</param>
/// <param name="times">How fast a rollout is.</param>
/// <param name="built">The images, where they were built before; null: they are built now.</param>
internal sealed class DeployOperation(FleetAccess access, string sources, HttpClient http, StackTimes times, ReleaseImages? built = null)
{
    private const string Action = "publish";

    /// <inheritdoc cref="IFleetDeployer.DeployAsync"/>
    public Task<FleetReport> RunAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) =>
        access.LockedAsync(hosts, release, progress, Action, session => RunAsync(session, cancellationToken), cancellationToken);

    private async Task<FleetReport> RunAsync(FleetSession session, CancellationToken cancellationToken)
    {
        session.RequireAll();
        var release = session.Release;
        if (release.CertificateFile is null)
            release = release with { CertificateFile = OwnCertificate.Ensure(release.StateDirectory, release.Addresses, access.Time.GetUtcNow(), session.Progress.Note) };
        var keys = FleetKeys.Open(release.StateDirectory);
        var secrets = keys.Secrets(release);
        var surveys = await HostSurveys.ReadAllAsync(session, cancellationToken);
        HostRequirements.RequireFit(session, surveys);
        HostRequirements.RequirePorts(session, surveys);
        var (layers, orchestrator, worker, dashboard) = built ?? await ReleaseImages.BuildAsync(sources, http, release, session.Progress, access.Time, cancellationToken);
        var targets = new List<ImageTarget>
        {
            new(orchestrator, [.. session.OrchestratorHosts(release.OrchestratorOnEachManager)]),
            new(worker, [.. session.Hosts.Where(host => host.Role is HostRole.Worker)]),
        };
        if (dashboard is not null) targets.Add(new(dashboard, [session.OrchestratorHost]));
        HostRequirements.RequireRoom(session, surveys, targets);
        var sent = await new ImageTransfer(session, layers).RunAsync(targets, surveys, cancellationToken);
        var swarm = new SwarmExecutor(session);
        var (manager, changed) = await swarm.FormAsync(surveys, cancellationToken);
        changed |= await WorkersFile.WriteAsync(session, session.Hosts, cancellationToken);

        var commands = new RolloutCommands(release.Deployment);
        await KeepSecretsAsync(manager, commands, secrets, cancellationToken);
        var target = StackFile.Build(StackContent.Of(release, orchestrator.Reference, worker.Reference, secrets, times, session.OrchestratorHost.PrivateAddress));
        changed |= await swarm.LabelAsync(manager, surveys, cancellationToken);
        var report = await new ReleaseSwitch(session, manager, commands, keys, times, access.Time).RunAsync(target, Action, changed, cancellationToken);
        if (await new DashboardSwitch(session, manager, access.Time).RunAsync(dashboard, secrets, cancellationToken)) report = report with { Changed = true };
        if (dashboard is not null) report = report with { Containers = await FleetContainers.ReadAsync(session, target, cancellationToken) };
        // Where nothing changed there is nothing new to be rid of.
        if (report.Changed || sent.Images > 0) await Pruning.RunAsync(session, manager, commands, [orchestrator, worker, .. dashboard is null ? (PackedImage[])[] : [dashboard]], secrets, cancellationToken);
        report = report with { ImagesSent = sent.Images, BytesSent = sent.Bytes };
        if (release.UpgradeDocker && await new DockerUpgrade(session, access.Time).RunAsync(surveys, target, cancellationToken))
            return report with { Changed = true, Containers = await FleetContainers.ReadAsync(session, target, cancellationToken) };
        if (!release.UpgradeDocker && DockerUpgrade.Advice([.. surveys.Where(survey => survey.Value.Upgrades.Count > 0).Select(survey => survey.Key).Order(StringComparer.Ordinal)]) is { } advice)
            session.Progress.Note(advice);
        return report;
    }

    private static async Task KeepSecretsAsync(HostConnection manager, RolloutCommands commands, IReadOnlyList<FleetSecret> secrets, CancellationToken cancellationToken)
    {
        var known = (await manager.RunAsync(commands.Secrets, cancellationToken)).Split('\n', StringSplitOptions.TrimEntries);
        foreach (var secret in secrets.Where(secret => !known.Contains(secret.Name(commands.Deployment))))
            await manager.RunAsync(commands.CreateSecret(secret), cancellationToken);
    }
}
