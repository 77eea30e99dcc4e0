namespace Lab.Ec2Deployer.Fleet;

/// <summary>An image of the release.</summary>
/// <param name="Name"><c>orchestrator</c>, <c>worker</c> or <c>dashboard</c>.</param>
/// <param name="Version">Its tag, derived from its content, or null where it was never built on this machine.</param>
/// <param name="Bytes">What its archive weighs, or null where it was never built on this machine.</param>
internal sealed record PlannedImage(string Name, string? Version, long? Bytes);
