using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>One request to a hostile worker, and all that it can do to whoever asks.</summary>
/// <param name="socket">The connection.</param>
/// <param name="worker">The worker.</param>
/// <param name="path">What is asked; empty for a connection on which nothing has been asked yet.</param>
/// <param name="body">The request's body.</param>
/// <param name="cancellationToken">Cancelled when the worker ends.</param>
internal sealed class Exchange(Socket socket, HostileServer worker, string path, byte[] body, CancellationToken cancellationToken)
{
    // More than this nobody needs to see of an endless answer.
    private const int FloodBytes = 100 * 1024 * 1024;

    private readonly BatchRequest? _batch = path == "/run_batch" ? JsonSerializer.Deserialize(body, WireJson.Relaxed.BatchRequest) : null;

    public string Path => path;

    public bool IsBatch => _batch is not null;

    public IReadOnlyList<string> Texts => _batch?.Texts ?? [Encoding.UTF8.GetString(body)];

    /// <summary>Whether the connection ends with this exchange.</summary>
    public bool Closes { get; private set; }

    /// <summary>The number of this exchange among those in which the part is played, from 1.</summary>
    public int Number { get; init; }

    /// <summary>The response to the dispatch before.</summary>
    public string? Before => worker.Before;

    public static string Ok(string body, string headers = "") => Response("200 OK", body, headers);

    public static string Response(string status, string body, string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}";

    public static string Problem(string status, string detail) => Response(status, $"{{\"detail\":{JsonSerializer.Serialize(detail)}}}");

    /// <summary>The answer as it should be, or with one thing changed.</summary>
    /// <param name="members">What it says of each text, instead of the truth.</param>
    /// <param name="milliseconds">The time that it says it took.</param>
    /// <param name="texts">The texts that it repeats, instead of those asked about.</param>
    public string Answer(Func<string, string>? members = null, string milliseconds = "1", Func<string, string>? texts = null) => IsBatch
        ? BatchOf(Results(members), milliseconds)
        : $"{{\"input_text\":{JsonSerializer.Serialize((texts ?? (text => text))(Texts[0]))},{(members ?? Honest.MembersOf)(Texts[0])},\"inference_ms\":{milliseconds}}}";

    /// <summary>The results of a batch, as they should be or with other members.</summary>
    public string[] Results(Func<string, string>? members = null, Func<string, string>? tokens = null) =>
        [.. Texts.Zip(_batch!.Tokens!, (text, token) => $"{{{(members ?? Honest.MembersOf)(text)},\"token\":\"{(tokens ?? (same => same))(token)}\"}}")];

    public static string BatchOf(IEnumerable<string> results, string milliseconds = "1") =>
        $"{{\"inference_ms\":{milliseconds},\"results\":[{string.Join(',', results)}]}}";

    /// <summary>The whole response that a good worker would give.</summary>
    public string Good() => worker.Before = Ok(Answer());

    public Task SendAsync(string bytes) => SendAsync(Encoding.UTF8.GetBytes(bytes));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, cancellationToken)..];
    }

    public async Task FloodAsync(string beginning, string again)
    {
        Closes = true;
        var many = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(again, Math.Max(1, 16 * 1024 / again.Length))));
        await SendAsync(beginning);
        for (var sent = 0L; sent < FloodBytes; sent += many.Length) await SendAsync(many);
    }

    /// <summary>Sends byte after byte, so slowly that whoever waits for the last has given up before.</summary>
    public async Task TrickleAsync(string bytes)
    {
        Closes = true;
        foreach (var one in Encoding.UTF8.GetBytes(bytes))
        {
            await SendAsync((byte[])[one]);
            await WaitAsync(TimeSpan.FromMilliseconds(50));
        }
    }

    /// <summary>Takes time.</summary>
    public Task WaitAsync(TimeSpan time) => Task.Delay(time, cancellationToken);

    /// <summary>Reads nothing for as long as the worker lives.</summary>
    public Task NeverReadAsync() => WaitAsync(Timeout.InfiniteTimeSpan);

    /// <summary>Waits until the other side has closed the connection.</summary>
    public async Task UntilClosedAsync()
    {
        Closes = true;
        var nothing = new byte[1024];
        int read;
        do read = await socket.ReceiveAsync(nothing, cancellationToken);
        while (read > 0);
    }

    public void Close() => Closes = true;

    /// <summary>Closes such that the other side hears of an error (RST).</summary>
    public void Reset()
    {
        Closes = true;
        socket.LingerState = new(enable: true, seconds: 0);
    }
}
