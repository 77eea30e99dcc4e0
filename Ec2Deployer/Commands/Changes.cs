using Lab.Ec2Deployer.Aws;

namespace Lab.Ec2Deployer.Commands;

/// <summary>What a command has begun to change: from then on each of its failures says what runs and what that costs.</summary>
/// <param name="Deployment">The deployment at EC2.</param>
/// <param name="Instances">The instances that may run, for where EC2 does not say; asked when it fails.</param>
/// <param name="GoesOn">Whether the same command goes on where it stopped.</param>
internal sealed record Changes(Ec2Deployment Deployment, Func<IEnumerable<string>> Instances, bool GoesOn = true);
