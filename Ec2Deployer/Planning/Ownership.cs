using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// Tells which parts with a deployment's tag are this owner's. Parts without an owner come of a time before owners were
/// recorded: they belong to whoever has since put his tag on their key pair or groups, and until then to whoever has no
/// other deployment of this name.
/// </summary>
internal sealed class Ownership
{
    private readonly string? _owner;
    private readonly bool _ownsUntagged;

    /// <param name="options">Name and owner.</param>
    /// <param name="named">Names and tags of the key pairs and security groups with the deployment's tag.</param>
    public Ownership(DeploymentOptions options, IEnumerable<(string Name, IReadOnlyDictionary<string, string> Tags)> named)
    {
        _owner = options.Owner;
        var parts = named.Select(part => (part.Name, Owner: part.Tags.GetValueOrDefault(LabTags.Owner))).ToList();
        var plain = DeploymentNames.Of(options.Name, null);
        var taker = parts.Where(part => plain.Have(part.Name)).Select(part => part.Owner).FirstOrDefault(owner => owner is not null);
        _ownsUntagged = taker is not null ? taker == _owner : _owner is null || !parts.Any(part => part.Owner == _owner && !plain.Have(part.Name));
    }

    /// <summary>Whether a part with these tags is this owner's.</summary>
    public bool IsOwn(IReadOnlyDictionary<string, string> tags) => tags.TryGetValue(LabTags.Owner, out var owner) ? owner == _owner : _ownsUntagged;

    /// <summary>Refuses where there are only others' deployments of this name, and nobody said whose is meant.</summary>
    /// <param name="options">Name, region and owner.</param>
    /// <param name="nothing">Whether there is nothing of this owner.</param>
    /// <param name="others">The owners of the others.</param>
    /// <exception cref="DeploymentException">It is somebody else's.</exception>
    public static void Check(DeploymentOptions options, bool nothing, IReadOnlyList<string> others)
    {
        if (!nothing || others.Count == 0 || options.IsOwnerGiven) return;
        var (first, you) = (others[0], options.Owner is { } owner ? $"you are {owner}" : "who you are is not known here");
        throw new DeploymentException(ExitCode.Usage,
            $"The deployment '{options.Name}' in {options.Region} belongs to {string.Join(" and ", others)}, and {you}. Nothing was changed. "
            + $"Take another --name, or say whose you mean: --owner {first} for that one{(options.Owner is { } own ? $", --owner {own} for one of your own of the same name" : "")}.");
    }

    /// <summary>The owner's name where none is given: the last part of the caller's ARN.</summary>
    /// <param name="arn">Such as <c>arn:aws:iam::123456789012:user/ana</c>.</param>
    /// <returns>The name, or null where there is no part that would be the same at the next call.</returns>
    public static string? Of(string arn)
    {
        var parts = arn.Split(':')[^1].Split('/');
        // Tools that were given no name for a role's session make one up, each time another.
        var made = parts is ["assumed-role", _, var session] && (Guid.TryParse(session, out _) || session.Count(char.IsAsciiDigit) >= 9 && !session.StartsWith("i-", StringComparison.Ordinal));
        return parts[made ? ^2 : ^1] is { Length: > 0 } name && DeploymentOptionsCheck.IsOwner(name) ? name : null;
    }
}
