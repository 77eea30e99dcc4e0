namespace Lab.Ec2Deployer.Fleet;

/// <summary>Which lines are wanted.</summary>
/// <param name="Container"><c>orchestrator</c>, <c>worker-3</c>, …, or null: of all.</param>
/// <param name="Tail">At most so many of the newest lines of each container.</param>
/// <param name="Follow">Go on with new lines until cancelled.</param>
internal sealed record LogsRequest(string? Container, int Tail, bool Follow);

/// <summary>A line that a container wrote.</summary>
/// <param name="Container">Its name.</param>
/// <param name="Text">The line, without its end.</param>
/// <param name="At">When, as the host's engine says, or null.</param>
internal sealed record LogLine(string Container, string Text, DateTimeOffset? At = null);
