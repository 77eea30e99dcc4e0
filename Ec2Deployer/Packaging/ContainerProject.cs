namespace Lab.Ec2Deployer.Packaging;

/// <summary>A program of the solution that becomes an image.</summary>
/// <param name="Name">The project's name, also of its directory and its executable.</param>
/// <param name="Repository">The image's name.</param>
internal sealed record ContainerProject(string Name, string Repository)
{
    /// <summary>
    /// Where the images claim to be from: an address at which nothing listens. A Swarm node asks for each image there
    /// before it takes the one it has; here the attempt fails at once and sends nothing to anybody.
    /// </summary>
    public const string Registry = "localhost:1";

    /// <summary>The orchestrator.</summary>
    public static readonly ContainerProject Orchestrator = new("Orchestrator", "lab-orchestrator");

    /// <summary>The worker.</summary>
    public static readonly ContainerProject Worker = new("Worker", "lab-worker");

    /// <summary>Aspire's dashboard, which is no project of the solution but comes as a package.</summary>
    public static readonly ContainerProject Dashboard = new("Aspire.Dashboard", "lab-dashboard");

    /// <summary>The image's full reference.</summary>
    public string Reference(string tag) => $"{Registry}/{Repository}:{tag}";
}
