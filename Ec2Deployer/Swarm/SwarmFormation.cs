using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>What must be done for the Swarm to be what the hosts are meant to be. Pure: state in, commands out.</summary>
internal static class SwarmFormation
{
    /// <summary>Commands for a manager, in order: promote before anything is released, for a majority must be there at each moment.</summary>
    /// <param name="members">The hosts that are in the Swarm, with their nodes' ids.</param>
    /// <param name="nodes">The nodes as the managers see them.</param>
    public static IReadOnlyList<HostCommand> Corrections(IReadOnlyDictionary<string, DeployedHost> members, IReadOnlyList<SwarmNode> nodes)
    {
        var commands = new List<HostCommand>();
        var dead = nodes.Where(node => IsDead(members, node)).ToList();
        var promote = Ids(nodes, node => members.TryGetValue(node.Id, out var host) && host.Manager && !node.IsManager);
        var demote = Ids(nodes, node => members.TryGetValue(node.Id, out var host) && !host.Manager && node.IsManager);
        if (promote.Count > 0) commands.Add(SwarmCommands.Promote(promote));
        if (demote.Count > 0) commands.Add(SwarmCommands.Demote(demote));
        commands.AddRange(Forget(dead));
        return commands;
    }

    /// <summary>
    /// Commands for a manager, before a host joins that was made anew: its old node is forgotten first, for the new one
    /// may have its address.
    /// </summary>
    /// <param name="members">The hosts that are in the Swarm, with their nodes' ids.</param>
    /// <param name="nodes">The nodes as the managers see them.</param>
    /// <param name="joining">The names of the hosts that are to join.</param>
    public static IReadOnlyList<HostCommand> Replacements(
        IReadOnlyDictionary<string, DeployedHost> members, IReadOnlyList<SwarmNode> nodes, IReadOnlyCollection<string> joining)
    {
        var old = nodes.Where(node => !members.ContainsKey(node.Id) && joining.Contains(node.Hostname)).ToList();
        return [.. Forget(old)];
    }

    /// <summary>Commands for a manager that let hosts take tasks. Only for hosts that have their image: a node with the label is given its containers at once.</summary>
    public static IReadOnlyList<HostCommand> Labels(IReadOnlyDictionary<string, DeployedHost> members, IReadOnlyList<SwarmNode> nodes) =>
        [.. nodes.Where(node => members.TryGetValue(node.Id, out var host) && (!node.IsActive || node.Role != SwarmCommands.RoleName(host.Role)))
            .Select(node => SwarmCommands.Label(node.Id, members[node.Id].Role))];

    /// <summary>
    /// A node that belongs to none of the hosts and is down, or bears the name of one: that host was made anew, and the
    /// managers have not missed the old one yet.
    /// </summary>
    private static bool IsDead(IReadOnlyDictionary<string, DeployedHost> members, SwarmNode node) =>
        !members.ContainsKey(node.Id) && (!node.IsReady || members.Values.Any(host => host.Name == node.Hostname));

    private static IEnumerable<HostCommand> Forget(IReadOnlyList<SwarmNode> gone) =>
        [.. gone.Where(node => node.IsManager).Select(node => SwarmCommands.DemoteGone(node.Id)), .. gone.Select(node => SwarmCommands.Remove(node.Id))];

    private static List<string> Ids(IEnumerable<SwarmNode> nodes, Func<SwarmNode, bool> which) => [.. nodes.Where(which).Select(node => node.Id)];
}
