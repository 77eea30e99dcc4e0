using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// Takes work off a host that is to go: its workers are drained in the orchestrator, its tasks stopped; a manager hands
/// its office to another host first.
/// </summary>
internal sealed class DrainOperation(FleetAccess access)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc cref="IFleetDeployer.DrainHostAsync"/>
    public Task RunAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken) =>
        access.LockedAsync(hosts, release, progress, $"draining {host}", async session =>
        {
            var (surveys, problems) = await HostSurveys.TryReadAllAsync(session, cancellationToken);
            if (HostSurveys.IsWithoutSwarm(session.Hosts, surveys, problems)) return false;
            var manager = HostSurveys.Manager(session, surveys, except: host);
            var nodes = await SwarmExecutor.NodesAsync(manager, cancellationToken);
            if (surveys.TryGetValue(host, out var survey) && nodes.FirstOrDefault(node => node.Id == survey.NodeId) is { } node)
            {
                using var step = progress.Begin("draining", host);
                if (node.IsActive) await DrainWorkersAsync(session, manager, host, cancellationToken);
                await ReleaseManagerAsync(session, manager, node, nodes, surveys, host, cancellationToken);
                await manager.RunAsync(SwarmCommands.Drain(node.Id), cancellationToken);
                await WaitUntilIdleAsync(session, host, step, cancellationToken);
                await session.AuditAsync("drain", host, cancellationToken);
                step.Done();
            }

            return true;
        }, cancellationToken);

    // What a worker is at, it finishes when it is stopped. A drain is of one orchestrator alone: each is told.
    private static async Task DrainWorkersAsync(FleetSession session, HostConnection manager, string host, CancellationToken cancellationToken)
    {
        if (session.Hosts.First(one => one.Name == host).Role is not HostRole.Worker) return;
        var store = new ReleaseStore(manager, new RolloutCommands(session.Release.Deployment));
        if (await store.ListAsync(cancellationToken) is not [var newest, ..]) return;
        var serving = await store.ReadAsync(newest, cancellationToken);
        var orchestrators = session.Connections.Where(connection => connection.Host.RunsOrchestrator(serving.OrchestratorOnEachManager)).ToList();
        if (orchestrators.Count == 0) return;
        var key = FleetKeys.Open(session.Release.StateDirectory).AdminKey;
        await FleetSession.OnEachAsync(orchestrators, async connection =>
        {
            var api = new OrchestratorApi(connection, session.Release.Deployment, key);
            try
            {
                foreach (var worker in WorkerList.Of(host)) await api.DrainAsync(worker.Name, cancellationToken);
                return true;
            }
            catch (Exception e) when (e is HttpRequestException or HostFailedException)
            {
                // It sends what fails to another worker: draining only saves that.
                session.Progress.Note($"{connection.Host.Name}: the orchestrator cannot be told to drain {host}: {e.Message}");
                return false;
            }
        });
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
        var started = access.Time.GetTimestamp();
        while (await connection.RunAsync(command, cancellationToken) is { Length: > 0 } running && running.Trim().Length > 0)
        {
            if (access.Time.GetElapsedTime(started) > Timeout)
                throw new HostFailedException(host, $"containers still run {Timeout.TotalMinutes:0} minutes after the node was drained", "Run the command again.");
            step.Say("containers stop");
            await Task.Delay(Poll, access.Time, cancellationToken);
        }
    }
}
