using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>A worker that plays a part, over bare sockets, since no server would let it.</summary>
internal sealed class HostileServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Part _part;
    private readonly Task _accepting;
    private int _acts;
    private volatile bool _told;

    public HostileServer(Part part)
    {
        _part = part;
        _listener.Start();
        Address = new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>How often it has played its part.</summary>
    public int Acts => _acts;

    /// <summary>Its response to the last dispatch.</summary>
    public string? Before { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptSocketAsync(_end.Token)));
        }
        catch (Exception e) when (IsEnd(e))
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var connection = socket;
        socket.NoDelay = true;
        try
        {
            if (_told && _part.Greet is { } greet)
            {
                var greeting = Exchange(socket, "", [], isAct: true);
                await greet(greeting);
                if (greeting.Closes) return;
            }

            var received = new Received(socket, _end.Token);
            while (await received.RequestAsync() is { } request)
            {
                var exchange = await AnswerAsync(socket, request.Path, request.Body);
                if (exchange.Closes) return;
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            // It or the other side has hung up.
        }
    }

    private async Task<Exchange> AnswerAsync(Socket socket, string path, byte[] body)
    {
        if (path.StartsWith(Presence.Path, StringComparison.Ordinal))
        {
            // What it says there is another test's.
            var unknown = new Exchange(socket, this, path, body, _end.Token) { Number = _acts };
            await unknown.SendAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            return unknown;
        }

        var play = path switch
        {
            "/health" => _part.Health,
            "/info" => _part.Info,
            _ => _part.Play,
        };
        var exchange = Exchange(socket, path, body, isAct: play is not null && (path != "/run_model" || !_part.InBatches));
        if (play is not null) await play(exchange);
        else if (path == "/health") await exchange.SendAsync(Hostile.Exchange.Ok("{}"));
        else await exchange.SendAsync(Hostile.Exchange.Ok(JsonSerializer.Serialize(Honest.Model, WireJson.Relaxed.ModelInfo)));
        _told |= path == "/info";
        return exchange;
    }

    private Exchange Exchange(Socket socket, string path, byte[] body, bool isAct) =>
        new(socket, this, path, body, _end.Token) { Number = isAct ? Interlocked.Increment(ref _acts) : _acts };

    // A listener that was closed between two connections says that it never listened.
    private static bool IsEnd(Exception e) => e is SocketException or OperationCanceledException or InvalidOperationException;

    /// <summary>Reads requests one after another.</summary>
    private sealed class Received(Socket socket, CancellationToken cancellationToken)
    {
        private byte[] _bytes = new byte[16 * 1024];
        private int _length;

        public async Task<(string Path, byte[] Body)?> RequestAsync()
        {
            int head;
            while ((head = _bytes.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
                if (!await ReceiveAsync()) return null;
            var lines = Encoding.ASCII.GetString(_bytes, 0, head).Split("\r\n");
            var length = lines.Select(line => line.Split(':', 2)).Where(header => header[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                .Select(header => int.Parse(header[1], System.Globalization.CultureInfo.InvariantCulture)).FirstOrDefault();
            var end = head + 4 + length;
            while (_length < end)
                if (!await ReceiveAsync()) return null;
            var body = _bytes[(head + 4)..end];
            _bytes.AsSpan(end, _length - end).CopyTo(_bytes);
            _length -= end;
            return (lines[0].Split(' ')[1], body);
        }

        private async Task<bool> ReceiveAsync()
        {
            if (_length == _bytes.Length) Array.Resize(ref _bytes, 2 * _length);
            var read = await socket.ReceiveAsync(_bytes.AsMemory(_length), cancellationToken);
            _length += read;
            return read > 0;
        }
    }
}
