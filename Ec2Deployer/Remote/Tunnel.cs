using Renci.SshNet;

namespace Lab.Ec2Deployer.Remote;

/// <summary>A port of this machine that leads through SSH to a port of a host: what travels is encrypted, and the host is the one whose key was checked.</summary>
internal sealed class Tunnel : IDisposable
{
    private readonly SshClient _client;
    private readonly ForwardedPortLocal _port;

    /// <summary>Opens it.</summary>
    public Tunnel(SshClient client, int port)
    {
        _client = client;
        _port = new ForwardedPortLocal("127.0.0.1", 0, "127.0.0.1", (uint)port);
        client.AddForwardedPort(_port);
        _port.Start();
        Address = new Uri($"http://127.0.0.1:{_port.BoundPort}");
    }

    /// <summary>Where it begins.</summary>
    public Uri Address { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.RemoveForwardedPort(_port);
        _port.Dispose();
    }
}
