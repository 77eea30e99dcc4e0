namespace Lab.Ec2Deployer.Planning;

/// <summary>What is known about who deploys.</summary>
/// <param name="Address">The caller's public IPv4 address, or null where it was not asked for.</param>
/// <param name="PublicKey">The public half of the deployment's key on this machine, <c>ssh-ed25519 AAAA…</c>, or null where there is none yet.</param>
internal sealed record CallerFacts(string? Address, string? PublicKey);
