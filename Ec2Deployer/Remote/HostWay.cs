using System.Net.Sockets;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Remote;

/// <summary>Where this machine connects to, so that it reaches a port of a host: the host itself, or a port of the loopback that leads there through a bastion.</summary>
internal sealed class HostWay : IDisposable
{
    private readonly BastionPort? _bastion;

    private HostWay(string address, int port, BastionPort? bastion) => (Address, Port, _bastion) = (address, port, bastion);

    /// <summary>The address to connect to.</summary>
    public string Address { get; }

    /// <summary>The port to connect to.</summary>
    public int Port { get; }

    /// <summary>Whether it leads through a bastion.</summary>
    public bool IsIndirect => _bastion is not null;

    /// <summary>Why the bastion gave no way, in the words of OpenSSH's client; or null.</summary>
    public string? BastionFailure => BehindBastion is null ? _bastion?.Failure : null;

    /// <summary>What the bastion met on its way to the host; or null.</summary>
    public SocketException? BehindBastion => _bastion?.FailureBehind is { } error ? new((int)error) : null;

    /// <summary>Opens it.</summary>
    /// <param name="host">The host.</param>
    /// <param name="port">A port of it.</param>
    public static HostWay To(DeployedHost host, int port)
    {
        if (host.Bastion is null) return Direct(host.SshAddress, port);
        var opened = new BastionPort(host.Bastion, host.SshAddress, port);
        return new(opened.EndPoint.Address.ToString(), opened.EndPoint.Port, opened);
    }

    /// <summary>The way to an address that can be reached from here.</summary>
    public static HostWay Direct(string address, int port) => new(address, port, null);

    /// <inheritdoc/>
    public void Dispose() => _bastion?.Dispose();
}
