using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Aws;

/// <summary>What of a deployment is one owner's.</summary>
/// <param name="Instances">Instances, those terminated included.</param>
/// <param name="Groups">Security groups.</param>
/// <param name="Keys">Key pairs: one, or none.</param>
/// <param name="Volumes">Disks, where they were asked for.</param>
/// <param name="Others">The owners of other deployments of the same name.</param>
internal sealed record DeploymentParts(
    IReadOnlyList<Instance> Instances, IReadOnlyList<SecurityGroup> Groups, IReadOnlyList<ObservedKey> Keys, IReadOnlyList<Volume> Volumes, IReadOnlyList<string> Others)
{
    /// <summary>Whether disks were asked for, and the account may not ask.</summary>
    public bool VolumesRefused { get; init; }

    /// <summary>Elastic IP addresses, where disks were asked for.</summary>
    public IReadOnlyList<Address> Addresses { get; init; } = [];

    /// <summary>Whether addresses were asked for, and the account may not ask.</summary>
    public bool AddressesRefused { get; init; }
}

/// <summary>Whether disks are asked for.</summary>
internal enum AskedDisks
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>They are; an account that may not ask is told none.</summary>
    WhereAllowed,

    /// <summary>They are, and a refusal is a failure.</summary>
    All,
}
