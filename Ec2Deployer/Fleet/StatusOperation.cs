using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>status</c>: what runs where at this moment. Hosts that do not answer are in it as such.</summary>
internal sealed class StatusOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.StatusAsync"/>
    public async Task<FleetStatus> RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        using var session = await access.OpenAsync(hosts, release, cancellationToken);
        var (surveys, problems) = await HostSurveys.TryReadAllAsync(session, cancellationToken, waits: false);
        IReadOnlyList<SwarmNode> nodes = [];
        IReadOnlyList<KeptRelease> kept = [];
        Release? serving = null;
        FleetLock? held = null;
        if (HostSurveys.FindManager(session, surveys) is { } manager)
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
                problems.TryAdd(manager.Host.Name, e);
            }
        }

        try
        {
            if (surveys.ContainsKey(session.LockHost.Name))
                held = LockCommands.Read(await session[session.LockHost].RunAsync(LockCommands.Ask, cancellationToken));
        }
        catch (HostFailedException e)
        {
            problems.TryAdd(session.LockHost.Name, e);
        }

        var containers = await FleetContainers.ReadAsync(session, serving, cancellationToken);
        var told = await OrchestratorViews.ReadAsync(session, containers, cancellationToken);
        return new(serving?.Version, [.. kept.Select(one => one.Version).Distinct()],
            [.. hosts.Select(host => StatusOf(host, session, surveys, problems, nodes))],
            [.. containers.Select(container => container with { State = told.Workers.GetValueOrDefault(container.Name) })], held)
        {
            Traffic = told.Traffic,
            OrchestratorOnEachManager = serving?.OrchestratorOnEachManager,
        };
    }

    private static HostStatus StatusOf(
        DeployedHost host, FleetSession session, Dictionary<string, HostSurvey> surveys, Dictionary<string, HostFailedException> problems, IReadOnlyList<SwarmNode> nodes)
    {
        if (session.Unreachable.TryGetValue(host.Name, out var unreachable))
        {
            var known = nodes.FirstOrDefault(node => node.Hostname == host.Name);
            return new(host.Name, false, known is null ? "unknown" : known.IsReady ? "ready" : "down", known?.Manager, unreachable.What) { IsUnanswered = unreachable.IsUnanswered };
        }

        var problem = problems.GetValueOrDefault(host.Name)?.What;
        if (!surveys.TryGetValue(host.Name, out var survey)) return new(host.Name, true, "unknown", null, problem);
        var node = nodes.FirstOrDefault(one => one.Id == survey.NodeId);
        return new(host.Name, true, node is null ? "absent" : node.IsReady ? "ready" : "down", node?.Manager, problem, survey.Upgrades.Count > 0);
    }
}
