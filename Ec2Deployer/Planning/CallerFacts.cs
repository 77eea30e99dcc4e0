namespace Lab.Ec2Deployer.Planning;

/// <summary>What is known about who deploys.</summary>
/// <param name="Address">The caller's public IPv4 address, or null where it was not asked for.</param>
/// <param name="PublicKey">The public half of the deployment's key on this machine, <c>ssh-ed25519 AAAA…</c>, or null where there is none yet.</param>
internal sealed record CallerFacts(string? Address, string? PublicKey)
{
    /// <summary>
    /// The zone in which each host was last being started, by name. EC2 may not show it yet: only the very same request
    /// is answered with the instance that exists already. <see cref="SpotLaunch.Place"/> says how a place is written.
    /// </summary>
    public IReadOnlyDictionary<string, string> Launching { get; init; } = new Dictionary<string, string>();
}
