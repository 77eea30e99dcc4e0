using System.Net;
using System.Net.Sockets;

namespace Lab.Ec2Deployer.Tests.Remote;

/// <summary>A port that leads through SSH, before a real server of it.</summary>
public sealed class HostTunnelTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_ThatComeAtOnceAndStay_AreServedSideBySide()
    {
        using var server = await LoopbackSshServer.StartAsync();
        using var echo = new Echo();
        using var connection = await server.ConnectAsync();
        await using var tunnel = connection.OpenTunnel(localPort: 0, echo.Port);

        // A browser opens six, and keeps them.
        var clients = await Task.WhenAll(Enumerable.Range(0, 12).Select(async number =>
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, tunnel.Port, Token);
            await client.GetStream().WriteAsync(new[] { (byte)number }, Token);
            return client;
        }));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        for (var number = 0; number < clients.Length; number++)
        {
            var answer = new byte[1];
            await clients[number].GetStream().ReadExactlyAsync(answer, limit.Token);
            Assert.Equal(number, answer[0]);
        }

        foreach (var client in clients) client.Dispose();
    }

    [Fact]
    public async Task Lost_HostIsGone_IsTold()
    {
        using var server = await LoopbackSshServer.StartAsync();
        using var echo = new Echo();
        using var connection = await server.ConnectAsync();
        await using var tunnel = connection.OpenTunnel(localPort: 0, echo.Port);
        Assert.False(tunnel.Lost.IsCompleted);

        server.Kill();

        Assert.NotEmpty((await tunnel.Lost.WaitAsync(Patience, Token)).Message);
    }

    [Fact]
    public async Task Open_PortThatIsTaken_Throws()
    {
        using var server = await LoopbackSshServer.StartAsync();
        using var echo = new Echo();
        using var connection = await server.ConnectAsync();

        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => connection.OpenTunnel(echo.Port, echo.Port)).SocketErrorCode);
    }

    /// <summary>Says back what it hears.</summary>
    private sealed class Echo : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Echo()
        {
            _listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true) _ = SayBackAsync(await _listener.AcceptTcpClientAsync());
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                // It has ended.
            }
        }

        private static async Task SayBackAsync(TcpClient client)
        {
            try
            {
                using (client) await client.GetStream().CopyToAsync(client.GetStream());
            }
            catch (IOException)
            {
                // Whoever spoke is gone.
            }
        }
    }
}
