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

    /// <summary>The user of the containers: <c>app</c> in .NET's images.</summary>
    public const int ContainerUser = 1654;
}
