namespace Lab.Ec2Deployer.Planning;

/// <summary>Who may reach which ports, and by what protocol.</summary>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>; at EC2 also others, which are never planned.</param>
/// <param name="FromPort">The first port; -1 for all.</param>
/// <param name="ToPort">The last port.</param>
/// <param name="Source">A CIDR block, or the identifier of a security group.</param>
/// <param name="Purpose">What for. Not compared: EC2's own text may be another.</param>
internal sealed record FirewallRule(string Protocol, int FromPort, int ToPort, string Source, string Purpose)
{
    /// <summary>Ports as people write them.</summary>
    public string Ports => FromPort < 0 ? "all" : FromPort == ToPort ? Text(FromPort) : $"{Text(FromPort)}–{Text(ToPort)}";

    /// <summary>Whether the source is a security group: by its identifier, or by a word in angle brackets such as <c>&lt;lab/fleet&gt;</c>.</summary>
    public bool SourceIsGroup => Source.StartsWith("sg-", StringComparison.Ordinal) || Source.EndsWith('>');

    /// <summary>Whether both let the same traffic in.</summary>
    public bool Equals(FirewallRule? other) =>
        other is not null && (Protocol, FromPort, ToPort, Source) == (other.Protocol, other.FromPort, other.ToPort, other.Source);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Protocol, FromPort, ToPort, Source);

    private static string Text(int port) => port.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
