namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>What really is behind an instance of the stand-in: nothing at all, or a namespace with sshd and dockerd.</summary>
internal interface IHostBackend
{
    /// <summary>Boots the machine; completes when it answers. Called for RunInstances and StartInstances.</summary>
    /// <param name="instance">User data, public key and tags are in it.</param>
    Task<HostAddresses> StartAsync(StandInInstance instance, CancellationToken cancellationToken);

    /// <summary>Powers it off; <paramref name="terminate"/>: and throws it away.</summary>
    Task StopAsync(StandInInstance instance, bool terminate, CancellationToken cancellationToken);

    /// <summary>The address that the account is given next.</summary>
    /// <param name="number">How many it was given, with this one.</param>
    string ElasticAddress(int number);

    /// <summary>The address that a machine has where it has none of the account's.</summary>
    string? PoolAddress(StandInInstance instance);

    /// <summary>Gives an address to a machine.</summary>
    void PutOn(StandInInstance instance, string address)
    {
    }

    /// <summary>Takes an address off a machine.</summary>
    void TakeOff(StandInInstance instance, string address)
    {
    }

    /// <summary>What it wrote to its console so far.</summary>
    string ConsoleOutput(StandInInstance instance);
}

/// <summary>Where a machine is reached.</summary>
internal sealed record HostAddresses(string PrivateAddress, string? PublicAddress);
