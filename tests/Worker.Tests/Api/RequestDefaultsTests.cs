using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lab.Worker.Tests.Api;

/// <summary>What both services do with requests before anything else: HEAD, bodies and headers that are too large.</summary>
public sealed class RequestDefaultsTests(RunningWorker worker) : IClassFixture<RunningWorker>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    [InlineData("/metrics")]
    [InlineData("/info")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/v2")]
    [InlineData("/v2/health/ready")]
    [InlineData("/v2/models/minilm-sst2")]
    [InlineData("/v2/models/minilm-sst2/versions/1/ready")]
    [InlineData("/nowhere")]
    [InlineData("/run_model")]
    public async Task Head_OfAnyPath_HasTheStatusAndTypeOfGet(string path)
    {
        using var got = await worker.Client.GetAsync(path, Cancellation);
        using var head = await worker.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), Cancellation);
        Assert.Equal(got.StatusCode, head.StatusCode);
        Assert.Equal(got.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Equal("", await head.Content.ReadAsStringAsync(Cancellation));
    }

    [Theory]
    [InlineData("/run_model", "text/plain")]
    [InlineData("/run_batch", "application/json")]
    [InlineData("/predict", "application/json")]
    public async Task Post_WrittenBeforeReading_IsAnswered413(string path, string type)
    {
        foreach (var isChunked in (bool[])[false, true])
        {
            using var client = await ConnectAsync();
            var part = Encoding.ASCII.GetBytes($"{(isChunked ? "100000\r\n" : "")}{new string(' ', 1024 * 1024)}{(isChunked ? "\r\n" : "")}");
            await SendAsync(client, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\n{(isChunked ? "Transfer-Encoding: chunked" : $"Content-Length: {24 << 20}")}\r\n\r\n")));
            for (var i = 0; i < 24; i++) await SendAsync(client, part);
            if (isChunked) await SendAsync(client, "0\r\n\r\n"u8.ToArray());
            Assert.StartsWith("HTTP/1.1 413 ", await ReadAsync(client), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(60, "HTTP/1.1 200 ")]
    [InlineData(100, "HTTP/1.1 431 ")]
    public async Task Get_WithLargeCookies_IsAnsweredInWords(int kibibytes, string status)
    {
        using var client = await ConnectAsync();
        await SendAsync(client, Encoding.ASCII.GetBytes($"GET /info HTTP/1.1\r\nHost: localhost\r\nCookie: {new string('x', kibibytes * 1024)}\r\n\r\n"));
        var answer = await ReadAsync(client);
        Assert.StartsWith(status, answer, StringComparison.Ordinal);
        Assert.Equal(kibibytes > 64, answer.Contains("Delete the site's cookies", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_ProxyThatIsNone_IsToldInOneLine()
    {
        var run = await WorkerProgram.RunAsync("--Proxies=nginx");
        Assert.Equal(1, run.Code);
        Assert.StartsWith("error: Proxies: 'nginx' is neither an address nor a network", Assert.Single(run.ErrorLines), StringComparison.Ordinal);
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, worker.Client.BaseAddress!.Port, Cancellation);
        return socket;
    }

    private static async Task SendAsync(Socket client, byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;) sent += await client.SendAsync(bytes.AsMemory(sent), Cancellation);
    }

    private static async Task<string> ReadAsync(Socket client)
    {
        var buffer = new byte[16 * 1024];
        return Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
    }
}
