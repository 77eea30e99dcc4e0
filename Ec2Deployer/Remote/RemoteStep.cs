namespace Lab.Ec2Deployer.Remote;

/// <summary>One command on one host, as <c>plan --verbose</c> shows it and the executor runs it.</summary>
/// <param name="Host">The host's name, such as <c>host-1</c>; <c>local</c> for what the deployer's own machine does.</param>
/// <param name="Title">What it is for, in a few words for people.</param>
/// <param name="Command">The command line, exactly; no secret is ever in it.</param>
/// <param name="Timeout">After this the step has failed.</param>
/// <param name="Input">What the command reads from standard input, in words or verbatim; null for nothing. Secrets travel this way and are named here, not shown.</param>
internal sealed record RemoteStep(string Host, string Title, string Command, TimeSpan Timeout, string? Input = null);
