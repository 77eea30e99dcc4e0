using System.Net;
using System.Net.Sockets;

namespace Lab.EndToEnd.Otlp;

/// <summary>A receiver that takes connections and all that is sent, and never answers.</summary>
internal sealed class SilentReceiver : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();

    public SilentReceiver()
    {
        _listener.Start();
        _ = TakeAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    /// <summary>How many have connected.</summary>
    public int Connections { get; private set; }

    public void Dispose()
    {
        _over.Cancel();
        _listener.Dispose();
        _over.Dispose();
    }

    private async Task TakeAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_over.Token);
                Connections++;
                _ = client.GetStream().CopyToAsync(Stream.Null, _over.Token).ContinueWith(_ => client.Dispose(), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException or SocketException)
        {
            // Nobody is to connect any more.
        }
    }
}
