using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Forms the Swarm, lets new hosts join it, and takes those out that are gone.</summary>
internal sealed class SwarmExecutor(FleetSession session)
{
    private const int MaxJoinAttempts = 3;

    // Managers that still try to reach a dead member at the same address may refuse a new one there for some seconds, and Docker
    // gives a join 20 s, which a network that has just changed may need for itself.
    private static readonly string[] PassingJoinFailures = ["could not connect to prospective new cluster member", "Timeout was reached before node joined"];

    /// <summary>Makes all hosts members of one Swarm, managers where they should be. Gives no roles yet.</summary>
    /// <returns>A manager, and whether anything was changed.</returns>
    /// <exception cref="HostFailedException">It cannot be formed.</exception>
    public async Task<(HostConnection Manager, bool Changed)> FormAsync(Dictionary<string, HostSurvey> surveys, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("forming the Swarm");
        var changed = false;
        var manager = HostSurveys.FindManager(session, surveys);
        if (manager is null)
        {
            // A member that waits for the other managers must not be made to leave: the Swarm holds the versions and the secrets.
            if (surveys.FirstOrDefault(one => one.Value is { SwarmState: "pending", NodeId.Length: > 0 } && session.Hosts.Any(host => host.Manager && host.Name == one.Key)) is { Key: { } waiting })
            {
                throw new HostFailedException(waiting, "its Swarm's managers have not found one another yet",
                    $"Run the command again in a minute. If the hosts of the other managers are lost, run 'sudo docker swarm init --force-new-cluster --advertise-addr {session.Hosts.First(host => host.Name == waiting).PrivateAddress}' on {waiting} and then publish.");
            }

            manager = session[session.Hosts.FirstOrDefault(host => host.Manager) ?? session.OrchestratorHost];
            session.LeftRunning = "The Swarm is formed in part.";
            if (surveys[manager.Host.Name].SwarmState is not "inactive") await manager.RunAsync(SwarmCommands.Leave, cancellationToken);
            await manager.RunAsync(SwarmCommands.Init(manager.Host), cancellationToken);
            surveys[manager.Host.Name] = surveys[manager.Host.Name].With(await manager.RunAsync(SwarmCommands.Membership, cancellationToken));
            changed = true;
        }

        var nodes = await NodesAsync(manager, cancellationToken);
        var outside = session.Connections
            .Where(connection => surveys[connection.Host.Name] is var survey && (survey.SwarmState is not "active" || nodes.All(node => node.Id != survey.NodeId)))
            .OrderByDescending(connection => connection.Host.Manager).ToList();
        foreach (var command in SwarmFormation.Replacements(Members(surveys), nodes, [.. outside.Select(connection => connection.Host.Name)]))
            await manager.RunAsync(command, cancellationToken);
        foreach (var connection in outside)
        {
            // One after the other: a Swarm whose managers change all at once may lose its majority.
            step.Say($"{connection.Host.Name} joins");
            if (!changed) session.LeftRunning = "The Swarm is formed in part, and what ran before runs on.";
            if (surveys[connection.Host.Name].SwarmState is not "inactive") await connection.RunAsync(SwarmCommands.Leave, cancellationToken);
            var token = (await manager.RunAsync(SwarmCommands.JoinToken(connection.Host.Manager), cancellationToken)).Trim();
            await JoinAsync(connection, manager.Host, token, cancellationToken);
            surveys[connection.Host.Name] = surveys[connection.Host.Name].With(await connection.RunAsync(SwarmCommands.Membership, cancellationToken));
            changed = true;
        }

        if (outside.Count > 0) nodes = await NodesAsync(manager, cancellationToken);
        foreach (var command in SwarmFormation.Corrections(Members(surveys), nodes))
        {
            await manager.RunAsync(command, cancellationToken);
            changed = true;
        }

        step.Done(changed ? $"{session.Hosts.Count} nodes" : "nothing to do");
        return (manager, changed);
    }

    private static async Task JoinAsync(HostConnection connection, DeployedHost through, string token, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await connection.RunAsync(SwarmCommands.Join(connection.Host, through, token), cancellationToken);
                return;
            }
            catch (HostFailedException e) when (attempt < MaxJoinAttempts && PassingJoinFailures.Any(failure => e.Message.Contains(failure, StringComparison.Ordinal)))
            {
                // What is left of the attempt is in the way of the next.
                await connection.RunAsync(SwarmCommands.LeaveIfMember, cancellationToken);
            }
        }
    }

    /// <summary>Gives every node its role, upon which the Swarm gives it its containers.</summary>
    /// <returns>Whether anything was changed.</returns>
    public async Task<bool> LabelAsync(HostConnection manager, IReadOnlyDictionary<string, HostSurvey> surveys, CancellationToken cancellationToken)
    {
        var commands = SwarmFormation.Labels(Members(surveys), await NodesAsync(manager, cancellationToken));
        foreach (var command in commands) await manager.RunAsync(command, cancellationToken);
        return commands.Count > 0;
    }

    /// <summary>The nodes as a manager sees them.</summary>
    /// <exception cref="HostFailedException">It does not know, for most of the managers are gone.</exception>
    public static async Task<IReadOnlyList<SwarmNode>> NodesAsync(HostConnection manager, CancellationToken cancellationToken)
    {
        var result = await manager.TryAsync(SwarmCommands.Nodes, cancellationToken);
        if (result.ExitCode == 0) return SwarmNode.Parse(result.Output);
        throw result.Error.Contains("leader", StringComparison.OrdinalIgnoreCase) || result.Error.Contains("DeadlineExceeded", StringComparison.OrdinalIgnoreCase)
            ? new HostFailedException(manager.Host.Name, "most managers of the Swarm are gone, so that nothing can be changed; containers on the other hosts run on unsupervised",
                $"Bring a manager back; if that cannot be, run 'sudo docker swarm init --force-new-cluster --advertise-addr {manager.Host.PrivateAddress}' on {manager.Host.Name} and then publish.", result.Error)
            : manager.Failed(SwarmCommands.Nodes, result);
    }

    private Dictionary<string, DeployedHost> Members(IReadOnlyDictionary<string, HostSurvey> surveys) =>
        session.Connections.Where(connection => surveys.TryGetValue(connection.Host.Name, out var survey) && survey.NodeId.Length > 0)
            .ToDictionary(connection => surveys[connection.Host.Name].NodeId, connection => connection.Host, StringComparer.Ordinal);
}
