namespace Lab.Ec2Deployer.Planning;

/// <summary>The tags by which the deployer finds what is its own. Nothing without <see cref="Deployment"/> is ever touched.</summary>
internal static class LabTags
{
    /// <summary>The deployment's name.</summary>
    public const string Deployment = "lab:deployment";

    /// <summary>Whose it is; absent on what was made before owners were recorded.</summary>
    public const string Owner = "lab:owner";

    /// <summary>The host's name.</summary>
    public const string Host = "lab:host";

    /// <summary>What the host runs: <c>orchestrator</c> or <c>worker</c>.</summary>
    public const string Role = "lab:role";

    /// <summary>The machine image that new hosts get, or "newest" would give each another.</summary>
    public const string Image = "lab:image";

    /// <summary>After how long the host ends itself; absent where never.</summary>
    public const string Ttl = "lab:ttl";

    /// <summary>When the host ends itself, where 'ttl' has set that: it counts, and not <see cref="Ttl"/>.</summary>
    public const string End = "lab:end";

    /// <summary>How many seconds the host had run when it was last stopped, and which start that is counted with.</summary>
    public const string Ran = "lab:ran";

    /// <summary>The maximum price that a spot instance was asked for with, in US dollars an hour; absent where EC2's own holds.</summary>
    public const string SpotPrice = "lab:spot-price";

    /// <summary>The name that consoles show.</summary>
    public const string Name = "Name";
}
