namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>What really is behind an instance of the stand-in: nothing at all, or a namespace with sshd and dockerd.</summary>
internal interface IHostBackend
{
    /// <summary>Boots the machine; completes when it answers. Called for RunInstances and StartInstances.</summary>
    /// <param name="instance">User data, public key and tags are in it.</param>
    Task<HostAddresses> StartAsync(StandInInstance instance, CancellationToken cancellationToken);

    /// <summary>Powers it off; <paramref name="terminate"/>: and throws it away.</summary>
    Task StopAsync(StandInInstance instance, bool terminate, CancellationToken cancellationToken);

    /// <summary>What it wrote to its console so far.</summary>
    string ConsoleOutput(StandInInstance instance);
}

/// <summary>Where a machine is reached.</summary>
internal sealed record HostAddresses(string PrivateAddress, string? PublicAddress);
