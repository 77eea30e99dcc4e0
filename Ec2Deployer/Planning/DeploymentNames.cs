namespace Lab.Ec2Deployer.Planning;

/// <summary>The names of a deployment's parts at EC2, where a name belongs to one alone: two people may call their deployments the same.</summary>
/// <param name="Key">The key pair.</param>
/// <param name="Front">The group of those hosts that clients reach.</param>
/// <param name="Fleet">The group of all hosts.</param>
internal sealed record DeploymentNames(string Key, string Front, string Fleet)
{
    /// <summary>The names that new parts get.</summary>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="owner">Its owner, or null where nobody knows.</param>
    public static DeploymentNames Of(string deployment, string? owner)
    {
        var prefix = owner is null ? deployment : $"{deployment}/{owner}";
        return new($"{prefix}/deployer", $"{prefix}/front", $"{prefix}/fleet");
    }

    /// <summary>The names of a deployment as it is: one that was made before owners were recorded keeps those without.</summary>
    public static DeploymentNames Of(DeploymentOptions options, ObservedDeployment observed)
    {
        var plain = Of(options.Name, null);
        return plain.Have(observed.Key?.Name) || observed.Groups.Any(group => plain.Have(group.Name)) ? plain : Of(options.Name, options.Owner);
    }

    /// <summary>Whether it is one of these names.</summary>
    public bool Have(string? name) => name is not null && (name == Key || name == Front || name == Fleet);
}
