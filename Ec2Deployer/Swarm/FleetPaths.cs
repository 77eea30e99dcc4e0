namespace Lab.Ec2Deployer.Swarm;

/// <summary>Where things lie on the hosts.</summary>
internal static class FleetPaths
{
    /// <summary>Everything of ours.</summary>
    public const string Root = "/var/lib/lab";

    /// <summary>Layers of images, by the hash of their content.</summary>
    public const string Blobs = "/var/lib/lab/blobs";

    /// <summary>The directory of the orchestrator's list of workers: mounted as such, for a file that is renamed over keeps its old inode.</summary>
    public const string Workers = "/var/lib/lab/workers";

    /// <summary>What the orchestrator keeps from one version to the next: jobs and its self-signed certificate.</summary>
    public const string State = "/var/lib/lab/state";

    /// <summary>One line for each action.</summary>
    public const string Audit = "/var/lib/lab/audit.log";

    /// <summary>Held by whoever deploys.</summary>
    public const string Lock = "/var/lib/lab/lock";

    /// <summary>The orchestrator's user: <c>app</c> in .NET's images.</summary>
    public const int OrchestratorUser = 1654;

    /// <summary>
    /// A worker's user. All share the host's network, where a process of the same user may listen on a port that is
    /// shared (<c>SO_REUSEPORT</c>) and take connections from whoever has it; one of another user may not.
    /// </summary>
    /// <param name="place">Which of the host's workers: 0 or 1.</param>
    public static int WorkerUser(int place) => OrchestratorUser + 1 + place;

    /// <summary>The dashboard's user, none of the services'.</summary>
    public const int DashboardUser = OrchestratorUser + 3;
}
