namespace Lab.Ec2Deployer.Planning;

/// <summary>An Elastic IP address of the deployment: one that its hosts pass on, and that costs until it is released.</summary>
/// <param name="Id"><c>eipalloc-…</c></param>
/// <param name="Address">The IPv4 address.</param>
/// <param name="Host">The value of the tag <c>lab:host</c>: whose it is.</param>
internal sealed record ObservedAddress(string Id, string Address, string Host)
{
    /// <summary>The instance that has it, or null: none has.</summary>
    public string? InstanceId { get; init; }

    /// <summary>EC2's name for its being there (<c>eipassoc-…</c>), or null.</summary>
    public string? AssociationId { get; init; }

    /// <summary>Its tags.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();
}
