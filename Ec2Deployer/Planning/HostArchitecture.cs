using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Planning;

/// <summary>An architecture of processors for which the images can be built, by everybody's name for it.</summary>
internal sealed partial record HostArchitecture
{
    /// <summary>Processors of Intel and AMD.</summary>
    public static readonly HostArchitecture X64 = new() { Ec2 = "x86_64", Debian = "amd64", Runtime = "linux-x64", Kernel = "x86_64", Examples = "c6i.large, m5.large" };

    /// <summary>AWS's Graviton.</summary>
    public static readonly HostArchitecture Arm64 = new() { Ec2 = "arm64", Debian = "arm64", Runtime = "linux-arm64", Kernel = "aarch64", Examples = "c7g.large, m7g.large" };

    private HostArchitecture()
    {
    }

    /// <summary>EC2's name, of instance types, instances and machine images.</summary>
    public required string Ec2 { get; init; }

    /// <summary>Debian's name, in its images' names, which is Docker's too.</summary>
    public required string Debian { get; init; }

    /// <summary>.NET's runtime identifier.</summary>
    public required string Runtime { get; init; }

    /// <summary>What <c>uname -m</c> says.</summary>
    public required string Kernel { get; init; }

    /// <summary>Instance types that many regions have.</summary>
    public required string Examples { get; init; }

    /// <summary>The one of that name at EC2, or null where no image can be built for it.</summary>
    public static HostArchitecture? Find(string? ec2) => ec2 == X64.Ec2 ? X64 : ec2 == Arm64.Ec2 ? Arm64 : null;

    /// <summary>An instance type's, by its name alone, for where EC2 was not asked; where it was, its answer counts.</summary>
    public static HostArchitecture OfType(string instanceType) => ArmPattern().IsMatch(instanceType) ? Arm64 : X64;

    /// <inheritdoc/>
    public override string ToString() => Ec2;

    // Graviton: a "g" behind the generation's digit (m7g, c6gn, t4g, x2gd, im4gn), and the first of them, a1.
    [GeneratedRegex("^(?:a1|[a-z]+[0-9]+g[a-z]*)\\.")]
    private static partial Regex ArmPattern();
}
