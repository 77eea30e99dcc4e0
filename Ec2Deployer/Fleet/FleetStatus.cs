using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>What runs where at one moment.</summary>
/// <param name="Version">The version in service, or null where none was deployed yet.</param>
/// <param name="Versions">The versions kept on the hosts, newest first: what a rollback may name.</param>
/// <param name="Hosts">One for each host asked about.</param>
/// <param name="Containers">One for each container that should run, whether or not it does.</param>
/// <param name="Lock">Who is deploying, or null.</param>
internal sealed record FleetStatus(
    string? Version,
    IReadOnlyList<string> Versions,
    IReadOnlyList<HostStatus> Hosts,
    IReadOnlyList<ContainerStatus> Containers,
    FleetLock? Lock)
{
    /// <summary>What the last minute was like, or null: no orchestrator tells.</summary>
    public FleetTraffic? Traffic { get; init; }

    /// <summary>Whether the version in service has an orchestrator on each manager; null where none is known.</summary>
    public bool? OrchestratorOnEachManager { get; init; }

    /// <summary>No host could be asked.</summary>
    public static FleetStatus Unknown { get; } = new(null, [], [], [], null);
}

/// <summary>A host as the fleet sees it.</summary>
/// <param name="Name">The host's name.</param>
/// <param name="Reachable">Whether it answered over SSH.</param>
/// <param name="Swarm"><c>ready</c>, <c>down</c>, <c>absent</c> (not in the Swarm) or <c>unknown</c>.</param>
/// <param name="Manager"><c>leader</c>, <c>reachable</c>, <c>unreachable</c>, or null for no manager.</param>
/// <param name="Problem">One line on what is wrong, or null.</param>
/// <param name="HasNewerDocker">Whether its package lists have a newer version of Docker.</param>
internal sealed record HostStatus(string Name, bool Reachable, string Swarm, string? Manager, string? Problem = null, bool HasNewerDocker = false)
{
    /// <summary>Whether packets to it vanish, as behind a security group that does not let this machine in.</summary>
    public bool IsUnanswered { get; init; }
}
