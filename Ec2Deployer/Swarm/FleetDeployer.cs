using System.Runtime.CompilerServices;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>Everything from hosts with SSH to healthy containers.</summary>
/// <param name="sources">The directory of the solution, from which images are built.</param>
/// <param name="http">For asking the base image's registry.</param>
/// <param name="time">The clock.</param>
/// <param name="stackTimes">How fast a rollout is.</param>
/// <param name="connectTimes">How long the way to a host may take.</param>
internal sealed partial class FleetDeployer(string sources, HttpClient http, TimeProvider time, StackTimes stackTimes, ConnectTimes connectTimes) : IFleetDeployer
{
    private static readonly string Owner = $"{Environment.UserName}@{Environment.MachineName}";

    /// <inheritdoc/>
    public IReadOnlyList<RemoteStep> PlanRemote(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release) => RemotePlan.Of(hosts, release, stackTimes);

    /// <inheritdoc/>
    public string PlanStack(ReleaseOptions release) => RemotePlan.Target(release, stackTimes).Text;

    /// <inheritdoc/>
    public Task<FleetReport> DeployAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken) =>
        GuardedAsync(hosts, release, progress, "publish", async session =>
        {
            session.RequireAll();
            var keys = FleetKeys.Open(release.StateDirectory);
            var secrets = keys.Secrets(release);
            var surveys = await SurveyAllAsync(session, cancellationToken);
            RequireFit(session, surveys);
            RequirePorts(session, surveys);
            var (orchestrator, worker, builder) = await BuildImagesAsync(release, progress, cancellationToken);
            var targets = new ImageTarget[]
            {
                new(orchestrator, [.. session.OrchestratorHosts]),
                new(worker, [.. hosts.Where(host => host.Role is HostRole.Worker)]),
            };
            RequireRoom(session, surveys, targets);
            var sent = await new ImageTransfer(session, builder.LayerDirectory).RunAsync(targets, surveys, cancellationToken);
            var swarm = new SwarmExecutor(session);
            var (manager, changed) = await swarm.FormAsync(surveys, cancellationToken);
            changed |= await WriteWorkersAsync(session, hosts, cancellationToken);

            var commands = new RolloutCommands(release.Deployment);
            await KeepSecretsAsync(manager, commands, secrets, cancellationToken);
            var target = StackFile.Build(StackContent.Of(release, orchestrator.Reference, worker.Reference, secrets, stackTimes));
            changed |= await swarm.LabelAsync(manager, surveys, cancellationToken);
            var report = await RollOutAsync(session, manager, commands, target, keys, "publish", changed, cancellationToken);
            // Where nothing changed there is nothing new to be rid of.
            if (report.Changed || sent.Images > 0) await PruneAsync(session, manager, commands, [orchestrator, worker], cancellationToken);
            return report with { ImagesSent = sent.Images, BytesSent = sent.Bytes };
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<FleetReport> RollbackAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string? version, IProgressSink progress, CancellationToken cancellationToken) =>
        GuardedAsync(hosts, release, progress, "rollback", async session =>
        {
            session.RequireAll();
            var keys = FleetKeys.Open(release.StateDirectory);
            var surveys = await SurveyAllAsync(session, cancellationToken);
            var manager = ManagerOf(session, surveys);
            var commands = new RolloutCommands(release.Deployment);
            var store = new ReleaseStore(manager, commands);
            var target = await store.ReadAsync(await store.FindAsync(version, cancellationToken), cancellationToken);
            var builder = new ImageBuilder(sources, release.StateDirectory, http);
            var orchestrator = await builder.FindAsync(target.Image("orchestrator"), cancellationToken);
            var worker = await builder.FindAsync(target.Image("worker-a"), cancellationToken);
            var targets = new List<ImageTarget>();
            if (orchestrator is not null) targets.Add(new(orchestrator, [.. session.OrchestratorHosts]));
            if (worker is not null) targets.Add(new(worker, [.. hosts.Where(host => host.Role is HostRole.Worker)]));
            var sent = await new ImageTransfer(session, builder.LayerDirectory).RunAsync(targets, surveys, cancellationToken);
            var report = await RollOutAsync(session, manager, commands, target, keys, "rollback", changed: false, cancellationToken);
            return report with { ImagesSent = sent.Images, BytesSent = sent.Bytes };
        }, cancellationToken);

    /// <inheritdoc/>
    public async Task<FleetLock?> UnlockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        using var session = await FleetSession.OpenAsync(hosts, release, NoProgress.Instance, connectTimes.ForLooking, time, cancellationToken);
        try
        {
            return LockCommands.Read(await session[session.LockHost].RunAsync(LockCommands.Break, cancellationToken));
        }
        catch (HostFailedException e)
        {
            throw Told(e, session);
        }
    }

    private async Task<FleetReport> RollOutAsync(
        FleetSession session, HostConnection manager, RolloutCommands commands, Release target, FleetKeys keys, string action, bool changed, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(manager, commands);
        var kept = await store.ListAsync(cancellationToken);
        var old = kept.Count > 0 ? await store.ReadAsync(kept[0], cancellationToken) : null;
        var expected = Expected(session);
        session.LeftRunning = old is null
            ? "Nothing served before; what has started runs on."
            : $"Version {old.Version} serves on.";
        var rollout = new Rollout(manager, commands, stackTimes, time, session.Progress);
        IReadOnlyList<ContainerStatus> containers;
        try
        {
            changed |= await rollout.RunAsync(target, old, expected, cancellationToken);
            try
            {
                containers = await new FleetVerification(session, keys, http, time).RunAsync(target, cancellationToken);
            }
            catch (HostFailedException) when (old is not null && old.Version != target.Version)
            {
                await rollout.RevertAsync(old, expected, cancellationToken);
                throw;
            }
        }
        catch (RolloutException e)
        {
            await session.AuditAsync(Owner, time.GetUtcNow(), $"{action}-failed", target.Version, cancellationToken);
            throw Told(e, target, old, action);
        }

        if (changed)
        {
            await store.KeepAsync(target, cancellationToken);
            await session.AuditAsync(Owner, time.GetUtcNow(), action, target.Version, cancellationToken);
        }
        else if (old is null)
        {
            // Cut off between the rollout and its record.
            await store.KeepAsync(target, cancellationToken);
        }

        return new()
        {
            Version = target.Version,
            PreviousVersion = old?.Version,
            Changed = changed,
            Containers = containers,
            Address = new Uri($"http://{session.OrchestratorHost.SshAddress}"),
            ApiKeyFile = keys.ApiKeyFile,
            CertificateFingerprint = await FingerprintAsync(session, cancellationToken),
        };
    }

    private async Task<T> GuardedAsync<T>(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, string what, Func<FleetSession, Task<T>> work, CancellationToken cancellationToken)
    {
        using var session = await FleetSession.OpenAsync(hosts, release, progress, connectTimes, time, cancellationToken);
        try
        {
            using var held = await FleetLockHolder.TakeAsync(session[session.LockHost], new(Owner, what, time.GetUtcNow()), cancellationToken);
            return await work(session);
        }
        catch (HostFailedException e)
        {
            throw Told(e, session);
        }
    }

    private async Task<(PackedImage Orchestrator, PackedImage Worker, ImageBuilder Builder)> BuildImagesAsync(
        ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        using var step = progress.Begin("building the images");
        var builder = new ImageBuilder(sources, release.StateDirectory, http);
        var orchestrator = await builder.BuildAsync(ContainerProject.Orchestrator, release.BaseImage, model: null, cancellationToken);
        var worker = await builder.BuildAsync(ContainerProject.Worker, release.BaseImage, release.ModelDirectory, cancellationToken);
        step.Done($"{orchestrator.Tag} and {worker.Tag}");
        return (orchestrator, worker, builder);
    }

    private static async Task<Dictionary<string, HostSurvey>> SurveyAllAsync(FleetSession session, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("looking at the hosts");
        var surveys = await FleetSession.OnEachAsync(session.Connections, async connection =>
            KeyValuePair.Create(connection.Host.Name, await SwarmExecutor.SurveyAsync(connection, cancellationToken)));
        step.Done($"{surveys.Count} answer");
        return new(surveys, StringComparer.Ordinal);
    }

    private static void RequireFit(FleetSession session, Dictionary<string, HostSurvey> surveys)
    {
        foreach (var host in session.Hosts)
            if (surveys[host.Name].Unfit(host) is { } obstacle) throw obstacle;
    }

    private static void RequirePorts(FleetSession session, Dictionary<string, HostSurvey> surveys)
    {
        var deployment = session.Release.Deployment;
        foreach (var host in session.Hosts)
        {
            var services = new List<(string, int[])>();
            if (FleetSession.RunsOrchestrator(host, session.Release)) services.Add(($"{deployment}_orchestrator", [80, 443]));
            if (host.Role is HostRole.Worker) services.AddRange(WorkerList.Places.Select(place => ($"{deployment}_{place.Service}", new[] { place.Port })));
            if (surveys[host.Name].TakenPort(host, services) is { } obstacle) throw obstacle;
        }
    }

    private static void RequireRoom(FleetSession session, Dictionary<string, HostSurvey> surveys, ImageTarget[] targets)
    {
        foreach (var host in session.Hosts)
        {
            // The orchestrator's host passes on what the others need.
            var images = targets.Where(target => target.Hosts.Contains(host) || host == session.OrchestratorHost).Select(target => target.Image);
            var missing = images.SelectMany(image => image.Layers).Where(layer => !surveys[host.Name].Layers.Contains(layer.DiffId)).DistinctBy(layer => layer.DiffId);
            if (surveys[host.Name].FullDisk(host, missing.Sum(layer => layer.Bytes)) is { } obstacle) throw obstacle;
        }
    }

    private static async Task<bool> WriteWorkersAsync(FleetSession session, IEnumerable<DeployedHost> hosts, CancellationToken cancellationToken)
    {
        var command = HostCommands.WriteWorkers(WorkerList.File(hosts));
        // On every manager: each of them may be told to run an orchestrator.
        var answers = await FleetSession.OnEachAsync(session.Connections.Where(connection => connection.Host.Manager || connection.Host.Role is HostRole.Orchestrator),
            connection => connection.RunAsync(command, cancellationToken));
        return answers.Any(answer => answer.Contains("changed", StringComparison.Ordinal));
    }

    private static async Task KeepSecretsAsync(HostConnection manager, RolloutCommands commands, IReadOnlyList<FleetSecret> secrets, CancellationToken cancellationToken)
    {
        var known = (await manager.RunAsync(commands.Secrets, cancellationToken)).Split('\n', StringSplitOptions.TrimEntries);
        foreach (var secret in secrets.Where(secret => !known.Contains(secret.Name(commands.Deployment))))
            await manager.RunAsync(commands.CreateSecret(secret), cancellationToken);
    }

    private static Dictionary<string, int> Expected(FleetSession session)
    {
        var workers = session.Hosts.Count(host => host.Role is HostRole.Worker);
        return new(StringComparer.Ordinal) { ["worker-a"] = workers, ["worker-b"] = workers, ["orchestrator"] = session.OrchestratorHosts.Count() };
    }
}
