namespace Lab.Ec2Deployer.Swarm;

/// <summary>The lock on the manager that keeps two deployers from crossing.</summary>
/// <param name="Owner">User and machine, such as <c>ana@laptop</c>.</param>
/// <param name="What">What they do, such as <c>publish</c>.</param>
/// <param name="Since">When they began.</param>
internal sealed record FleetLock(string Owner, string What, DateTimeOffset Since);
