using System.Net;
using System.Net.Sockets;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Lab.Ec2Deployer.Remote;

/// <summary>
/// A port of this machine's loopback that leads to one of a host's loopback, over SSH. In front of SSH.NET's forwarded port,
/// which serves a connection on the thread that should take the next one, if both come at once: one of them then waits until
/// the other has ended, which a browser's does not. Here they reach it one after the other.
/// </summary>
internal sealed class HostTunnel : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly SshClient _client;
    private readonly ForwardedPortLocal _forwarded;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<Exception> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostTunnel(SshClient client, ForwardedPortLocal forwarded, TcpListener listener)
    {
        (_client, _forwarded, _listener) = (client, forwarded, listener);
        _client.ErrorOccurred += OnLost;
        _forwarded.RequestReceived += OnTaken;
        _accepting = AcceptAsync();
    }

    /// <summary>The port of this machine.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ends when the connection to the host breaks, with what broke it.</summary>
    public Task<Exception> Lost => _lost.Task;

    /// <summary>Opens it.</summary>
    /// <param name="client">Connected to the host.</param>
    /// <param name="localPort">The port of this machine, or 0: one that is free.</param>
    /// <param name="remotePort">The port of the host.</param>
    /// <exception cref="SocketException">The port of this machine cannot be had.</exception>
    public static HostTunnel Open(SshClient client, int localPort, int remotePort)
    {
        var listener = new TcpListener(IPAddress.Loopback, localPort);
        listener.Start();
        var forwarded = new ForwardedPortLocal(IPAddress.Loopback.ToString(), IPAddress.Loopback.ToString(), (uint)remotePort);
        try
        {
            client.AddForwardedPort(forwarded);
            forwarded.Start();
        }
        catch
        {
            forwarded.Dispose();
            listener.Dispose();
            throw;
        }

        return new(client, forwarded, listener);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _client.ErrorOccurred -= OnLost;
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _forwarded.Dispose();
        _stop.Dispose();
    }

    private void OnLost(object? sender, ExceptionEventArgs e) => _lost.TrySetResult(e.Exception);

    private void OnTaken(object? sender, PortForwardEventArgs e) => _taken.TrySetResult();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                try
                {
                    var inner = await ConnectAsync();
                    // Each for itself, until one of its ends closes.
                    _ = JoinAsync(client, inner);
                }
                catch (Exception e) when (e is SocketException or TimeoutException)
                {
                    client.Dispose();
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or SocketException)
        {
            // It is closed.
        }
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _taken, taken);
        var inner = new TcpClient();
        try
        {
            await inner.ConnectAsync(IPAddress.Loopback, (int)_forwarded.BoundPort, _stop.Token);
            await taken.Task.WaitAsync(Patience, _stop.Token);
            return inner;
        }
        catch
        {
            inner.Dispose();
            throw;
        }
    }

    private async Task JoinAsync(TcpClient client, TcpClient inner)
    {
        using (client)
        using (inner)
        {
            (client.NoDelay, inner.NoDelay) = (true, true);
            var (near, far) = (client.GetStream(), inner.GetStream());
            using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAny(CopyAsync(near, far, end.Token), CopyAsync(far, near, end.Token));
            await end.CancelAsync();
        }
    }

    private static async Task CopyAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        try
        {
            await from.CopyToAsync(to, cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One end is gone, and the other with it.
        }
    }
}
