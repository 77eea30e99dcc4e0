using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>
/// Chromium without a window, told what to do by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol):
/// one page is looked at here, for which Playwright's 135 MB in each output folder are too many.
/// </summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _profile = Directory.CreateTempSubdirectory("lab-chromium-").FullName;
    private readonly ClientWebSocket _socket = new();
    private readonly Process _process;
    private int _id;

    private Chromium() => _process = Process.Start(new ProcessStartInfo(Program,
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--window-size=1400,900", "--lang=en-US", "--remote-debugging-port=0", $"--user-data-dir={_profile}", "about:blank",
    ])
    { RedirectStandardError = true, RedirectStandardOutput = true })!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Why there is none, or null.</summary>
    public static string? Obstacle { get; } = File.Exists(Program) ? null : $"this test needs {Program} (Debian: chromium)";

    /// <summary>Starts it with one empty page.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var chromium = new Chromium();
        chromium._process.BeginErrorReadLine();
        chromium._process.BeginOutputReadLine();
        var file = Path.Combine(chromium._profile, "DevToolsActivePort");
        await Eventually.TrueAsync(() => File.Exists(file) && File.ReadAllLines(file).Length > 1, "Chromium listens");
        using var http = new HttpClient();
        var pages = await http.GetFromJsonAsync<JsonArray>($"http://127.0.0.1:{File.ReadAllLines(file)[0]}/json/list", Token);
        await chromium._socket.ConnectAsync(new Uri((string)pages!.First(page => (string?)page!["type"] == "page")!["webSocketDebuggerUrl"]!), Token);
        return chromium;
    }

    /// <summary>Opens an address.</summary>
    public Task GoAsync(Uri address) => AskAsync("Page.navigate", new() { ["url"] = address.AbsoluteUri });

    /// <summary>What an expression of the page comes to, as text.</summary>
    public async Task<string> EvaluateAsync(string expression) =>
        (await AskAsync("Runtime.evaluate", new() { ["expression"] = $"String({expression})", ["returnByValue"] = true }))?["result"]?["value"]?.ToString() ?? "";

    /// <summary>Waits until the page shows all of these words.</summary>
    public async Task UntilItShowsAsync(params string[] words)
    {
        var text = "";
        await Eventually.TrueAsync(async () => words.All((text = await EvaluateAsync("document.body && document.body.innerText")).Contains), $"the page shows {string.Join(", ", words)}", () => text, Patience);
    }

    /// <summary>A picture of the page.</summary>
    public async Task<byte[]> PictureAsync() => Convert.FromBase64String((string)(await AskAsync("Page.captureScreenshot", []))!["data"]!);

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    private async Task<JsonNode?> AskAsync(string method, JsonObject parameters)
    {
        var id = ++_id;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(Patience);
        await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters }), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
        while (true)
        {
            var message = new MemoryStream();
            var buffer = new byte[1 << 16];
            ValueWebSocketReceiveResult part;
            do
            {
                part = await _socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
                message.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            // Other messages tell of events.
            var answer = JsonNode.Parse(message.ToArray())!;
            if ((int?)answer["id"] == id) return answer["result"];
        }
    }
}
