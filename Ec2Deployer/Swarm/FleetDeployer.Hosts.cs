using System.Globalization;
using System.Runtime.CompilerServices;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Swarm;

/// <content>What is said about the hosts, and how one of them is taken out.</content>
internal sealed partial class FleetDeployer
{
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    public async Task<FleetStatus> StatusAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        using var session = await FleetSession.OpenAsync(hosts, release, NoProgress.Instance, connectTimes.ForLooking, time, cancellationToken);
        var (surveys, problems) = await TrySurveyAsync(session, cancellationToken);
        IReadOnlyList<SwarmNode> nodes = [];
        IReadOnlyList<KeptRelease> kept = [];
        Release? serving = null;
        FleetLock? held = null;
        if (new SwarmExecutor(session).Manager(surveys) is { } manager)
        {
            try
            {
                nodes = await SwarmExecutor.NodesAsync(manager, cancellationToken);
                var store = new ReleaseStore(manager, new RolloutCommands(release.Deployment));
                kept = await store.ListAsync(cancellationToken);
                if (kept.Count > 0) serving = await store.ReadAsync(kept[0], cancellationToken);
            }
            catch (HostFailedException e)
            {
                problems.TryAdd(manager.Host.Name, e.What);
            }
        }

        if (surveys.ContainsKey(session.LockHost.Name))
            held = LockCommands.Read(await session[session.LockHost].RunAsync(LockCommands.Ask, cancellationToken));
        var containers = await FleetContainers.ReadAsync(session, serving, cancellationToken);
        return new(serving?.Version, [.. kept.Select(one => one.Version).Distinct()],
            [.. hosts.Select(host => StatusOf(host, session, surveys, problems, nodes))], containers, held);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<LogLine> LogsAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, LogsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var session = await FleetSession.OpenAsync(hosts, release, NoProgress.Instance, connectTimes.ForLooking, time, cancellationToken);
        var wanted = FleetContainers.Expected(hosts, release).Where(one => request.Container is null || one.Name == request.Container).ToList();
        if (wanted.Count == 0) throw new DeploymentException(ExitCode.Usage, $"There is no container {request.Container}: orchestrator, worker-1, worker-2, …");
        await foreach (var line in FleetLogs.ReadAsync(session, wanted, request, cancellationToken)) yield return line;
    }

    /// <inheritdoc/>
    public async Task HarmAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, HarmRequest request, CancellationToken cancellationToken)
    {
        var wanted = FleetContainers.Expected(hosts, release).FirstOrDefault(one => one.Name == request.Container);
        if (wanted.Host is null) throw new DeploymentException(ExitCode.Usage, $"There is no container {request.Container}: worker-1, worker-2, …");
        // Its own host is enough, and sooner reached than all of them.
        using var session = await FleetSession.OpenAsync([wanted.Host], release, NoProgress.Instance, connectTimes.ForLooking, time, cancellationToken);
        try
        {
            await session[wanted.Host].RunAsync(HarmCommands.Command(release.Deployment, wanted.Service, request.Kind), cancellationToken);
        }
        catch (HostFailedException e)
        {
            throw Told(e, session);
        }
    }

    /// <inheritdoc/>
    public Task DrainHostAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) =>
        GuardedAsync(hosts, release, progress, $"draining {host}", async session =>
        {
            var (surveys, _) = await TrySurveyAsync(session, cancellationToken);
            var manager = ManagerOf(session, surveys, except: host);
            var nodes = await SwarmExecutor.NodesAsync(manager, cancellationToken);
            if (surveys.TryGetValue(host, out var survey) && nodes.FirstOrDefault(node => node.Id == survey.NodeId) is { } node)
            {
                using var step = progress.Begin("draining", host);
                if (node.IsActive) await DrainWorkersAsync(session, host, step, cancellationToken);
                await ReleaseManagerAsync(session, manager, node, nodes, surveys, host, cancellationToken);
                await manager.RunAsync(SwarmCommands.Drain(node.Id), cancellationToken);
                await WaitUntilIdleAsync(session, host, step, cancellationToken);
                await session.AuditAsync(Owner, time.GetUtcNow(), "drain", host, cancellationToken);
                step.Done();
            }

            return true;
        }, cancellationToken);

    /// <inheritdoc/>
    public Task RemoveHostAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) =>
        GuardedAsync(hosts, release, progress, $"removing {host}", async session =>
        {
            var (surveys, _) = await TrySurveyAsync(session, cancellationToken);
            var manager = ManagerOf(session, surveys, except: host);
            using var step = progress.Begin("removing from the Swarm", host);
            await WriteWorkersAsync(session, hosts.Where(one => one.Name != host), cancellationToken);
            var nodes = await SwarmExecutor.NodesAsync(manager, cancellationToken);
            var alive = surveys.TryGetValue(host, out var survey) && survey.SwarmState is not "inactive";
            foreach (var node in nodes.Where(node => node.Hostname == host || (alive && node.Id == survey!.NodeId)))
            {
                if (node.IsManager) await manager.RunAsync(SwarmCommands.Demote([node.Id]), cancellationToken);
                if (alive && node.Id == survey!.NodeId) await session.Connections.First(one => one.Host.Name == host).RunAsync(SwarmCommands.Leave, cancellationToken);
                await manager.RunAsync(SwarmCommands.Remove(node.Id), cancellationToken);
                await session.AuditAsync(Owner, time.GetUtcNow(), "remove", host, cancellationToken);
            }

            step.Done();
            return true;
        }, cancellationToken);

    private static HostStatus StatusOf(
        DeployedHost host, FleetSession session, Dictionary<string, HostSurvey> surveys, Dictionary<string, string> problems, IReadOnlyList<SwarmNode> nodes)
    {
        if (session.Unreachable.TryGetValue(host.Name, out var unreachable))
        {
            var known = nodes.FirstOrDefault(node => node.Hostname == host.Name);
            return new(host.Name, false, known is null ? "unknown" : known.IsReady ? "ready" : "down", known?.Manager, unreachable.What);
        }

        var problem = problems.GetValueOrDefault(host.Name);
        if (!surveys.TryGetValue(host.Name, out var survey)) return new(host.Name, true, "unknown", null, problem);
        var node = nodes.FirstOrDefault(one => one.Id == survey.NodeId);
        return new(host.Name, true, node is null ? "absent" : node.IsReady ? "ready" : "down", node?.Manager, problem);
    }

    private async Task DrainWorkersAsync(FleetSession session, string host, IProgressStep step, CancellationToken cancellationToken)
    {
        if (session.Hosts.First(one => one.Name == host).Role is not HostRole.Worker || session.Hosts.All(one => one.Role is not HostRole.Orchestrator)) return;
        var workers = WorkerList.Of(host).Select(worker => worker.Name).ToList();
        try
        {
            var api = new OrchestratorApi(session[session.OrchestratorHost], FleetKeys.Open(session.Release.StateDirectory).AdminKey);
            foreach (var worker in workers) await api.DrainAsync(worker, cancellationToken);
            var started = time.GetTimestamp();
            while (time.GetElapsedTime(started) < DrainTimeout)
            {
                var busy = (await api.WorkersAsync(cancellationToken)).Count(worker => workers.Contains(worker.Key) && worker.Value is "busy");
                if (busy == 0) return;
                step.Say(string.Create(CultureInfo.InvariantCulture, $"{busy} workers finish their work"));
                await Task.Delay(Poll, time, cancellationToken);
            }
        }
        catch (Exception e) when (e is HttpRequestException or HostFailedException)
        {
            // It sends what fails to another worker: draining only saves that.
            session.Progress.Note($"The orchestrator cannot be told to drain {host}: {e.Message}");
        }
    }

    /// <summary>Has another host take the office of a manager that is to go: promoted before the other is released.</summary>
    private static async Task ReleaseManagerAsync(
        FleetSession session, HostConnection manager, SwarmNode node, IReadOnlyList<SwarmNode> nodes, Dictionary<string, HostSurvey> surveys, string host, CancellationToken cancellationToken)
    {
        if (!node.IsManager) return;
        var heirs = session.Hosts.Where(one => one.Name != host)
            .Select(one => nodes.FirstOrDefault(other => surveys.TryGetValue(one.Name, out var survey) && other.Id == survey.NodeId))
            .Where(other => other is { IsManager: false, IsReady: true });
        if (heirs.FirstOrDefault() is { } heir) await manager.RunAsync(SwarmCommands.Promote([heir.Id]), cancellationToken);
        await manager.RunAsync(SwarmCommands.Demote([node.Id]), cancellationToken);
    }

    private async Task WaitUntilIdleAsync(FleetSession session, string host, IProgressStep step, CancellationToken cancellationToken)
    {
        var connection = session.Connections.First(one => one.Host.Name == host);
        var command = HostCommands.Containers(session.Release.Deployment);
        var started = time.GetTimestamp();
        while (await connection.RunAsync(command, cancellationToken) is { Length: > 0 } running && running.Trim().Length > 0)
        {
            if (time.GetElapsedTime(started) > DrainTimeout)
                throw new HostFailedException(host, $"containers still run {DrainTimeout.TotalMinutes:0} minutes after the node was drained", "Run the command again.");
            step.Say("containers stop");
            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private static HostConnection ManagerOf(FleetSession session, Dictionary<string, HostSurvey> surveys, string? except = null) =>
        session.Connections.FirstOrDefault(one => one.Host.Name != except && surveys.TryGetValue(one.Host.Name, out var survey) && survey is { SwarmState: "active", IsManager: true })
        ?? throw new HostFailedException(session.LockHost.Name, "no manager of the Swarm answers", "Run publish, which forms or mends the Swarm.");

    private static async Task<(Dictionary<string, HostSurvey> Surveys, Dictionary<string, string> Problems)> TrySurveyAsync(FleetSession session, CancellationToken cancellationToken)
    {
        var surveys = new Dictionary<string, HostSurvey>(StringComparer.Ordinal);
        var problems = new Dictionary<string, string>(StringComparer.Ordinal);
        await FleetSession.OnEachAsync(session.Connections, async connection =>
        {
            try
            {
                var survey = await SwarmExecutor.SurveyAsync(connection, cancellationToken);
                lock (surveys) surveys[connection.Host.Name] = survey;
            }
            catch (HostFailedException e)
            {
                lock (surveys) problems[connection.Host.Name] = e.What;
            }

            return true;
        });
        return (surveys, problems);
    }

    private static async Task<string?> FingerprintAsync(FleetSession session, CancellationToken cancellationToken)
    {
        if (session.Release.CertificateFile is { } file) return FleetKeys.Fingerprint(FleetKeys.Pem(file));
        var result = await session[session.OrchestratorHost].TryAsync(HostCommands.Certificate, cancellationToken);
        return result.ExitCode == 0 ? FleetKeys.Fingerprint(result.Output) : null;
    }

    private static async Task PruneAsync(
        FleetSession session, HostConnection manager, RolloutCommands commands, IReadOnlyList<PackedImage> current, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(manager, commands);
        var releases = new List<Release>();
        foreach (var kept in (await store.ListAsync(cancellationToken)).DistinctBy(kept => kept.Version)) releases.Add(await store.ReadAsync(kept, cancellationToken));
        var command = HostCommands.Prune(
            releases.SelectMany(release => StackFile.Services.Select(release.Image)).Concat(current.Select(image => image.Reference)).Distinct(),
            current.SelectMany(image => image.Layers).Select(layer => layer.DiffId).Distinct());
        await FleetSession.OnEachAsync(session.Connections, connection => connection.RunAsync(command, cancellationToken));
        // A secret of which no kept version knows is nobody's; one that a container still has the Swarm does not give up.
        var secrets = (await manager.RunAsync(commands.Secrets, cancellationToken)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var old in secrets.Except(releases.SelectMany(release => release.Secrets)))
            await manager.TryAsync(RolloutCommands.RemoveSecret(old), cancellationToken);
    }

    private static DeploymentException Told(HostFailedException e, FleetSession session) => new(ExitCode.HostFailed,
        WithLog($"{e.Host}: {e.What}. {session.LeftRunning} {e.Remedy}", e.Log), e);

    /// <summary>What a failed rollout says to its user, by what serves now.</summary>
    internal static DeploymentException Told(RolloutException e, Release target, Release? old, string action)
    {
        var failure = $"{e.Service} does not run: {e.Why}";
        const string again = "Mend what the last lines of its log say, and run the command again.";
        return new(ExitCode.HostFailed, WithLog(
            old is null ? $"The first {action} failed: {failure}. Nothing served before; what has started runs on. {again}"
            : e.IsTakenBack ? $"Version {target.Version} was taken back: {failure}. Version {old.Version} serves again in all services, and served throughout. {again}"
            : $"Version {target.Version} is not in service, and version {old.Version} is not back in all of it: {failure}. 'status' shows what runs. {again}",
            e.Log), e);
    }

    private static string WithLog(string paragraph, string log) => log.Trim().Length == 0
        ? paragraph
        : $"{paragraph}{Environment.NewLine}{string.Join(Environment.NewLine, log.Split('\n').Where(line => line.Trim().Length > 0).TakeLast(HostFailedException.LogLines).Select(line => $"    {line.TrimEnd()}"))}";
}
