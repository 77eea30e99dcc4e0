using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lab.Testing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Clients that write all of a body before they read hear why it is refused.</summary>
public sealed class LargeBodyTests
{
    private const int Mebibyte = 1024 * 1024;
    private static readonly byte[] Part = Encoding.ASCII.GetBytes(new string('x', 64 * 1024));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/new_request", "text/plain", 413)]
    [InlineData("/predict", "application/json", 413)]
    [InlineData("/v2/models/stub/infer", "application/json", 413)]
    [InlineData("/predict", "text/plain", 415)]
    [InlineData("/nowhere", "text/plain", 404)]
    [InlineData("/workers", "text/plain", 405)]
    public async Task Post_TenMebibytesWrittenBeforeReading_IsAnswered(string path, string type, int status)
    {
        await using var lab = await StartAsync(workers: 1);
        foreach (var isChunked in (bool[])[false, true])
        {
            using var client = await lab.ConnectAsync();
            var answer = await WriteThenReadAsync(client, path, type, 10 * Mebibyte, isChunked);
            Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} "), answer, StringComparison.Ordinal);
            if (status == 413) Assert.Contains("larger than the limit of 1048576 bytes", answer, StringComparison.Ordinal);
        }

        using var after = await lab.PostAsync("still well");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_MoreThanIsDropped_IsAnsweredAndCutOff(bool isChunked)
    {
        await using var lab = await StartAsync(workers: 1);
        using var client = await lab.ConnectAsync();
        await client.SendAsync(Head("/new_request", "text/plain", 1L << 40, isChunked), Cancellation);
        var answer = ReadAsync(client);
        var sent = 0L;
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
            {
                await SendPartAsync(client, isChunked);
                sent += Part.Length;
            }
        });
        // With what the sockets of both sides hold.
        Assert.InRange(sent, 64 * Mebibyte, 96 * Mebibyte);
        Assert.StartsWith("HTTP/1.1 413 ", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_AskedFirst_IsToldNotToSend()
    {
        await using var lab = await StartAsync(workers: 1);
        using var client = await lab.ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes(
            "POST /new_request HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 4000000\r\n\r\n"), Cancellation);
        // To the connection's end, which comes without any of the body.
        Assert.StartsWith("HTTP/1.1 413 ", await Eventually.DoneAsync(ReadAsync(client), "the answer ends"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_JustTheLimit_IsRead()
    {
        await using var lab = await StartAsync(workers: 1);
        foreach (var isChunked in (bool[])[false, true])
        {
            using var client = await lab.ConnectAsync();
            Assert.StartsWith("HTTP/1.1 200 ", await WriteThenReadAsync(client, "/new_request", "text/plain", Mebibyte, isChunked, close: true), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_TenMebibytesOverHttp2_IsAnsweredAndTheConnectionGoesOn(bool isChunked)
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        var port = FreePorts.Take();
        await using var lab = await StartAsync(workers: 0,
            string.Create(CultureInfo.InvariantCulture, $"--urls=https://127.0.0.1:{port}"), $"--Https:SelfSignedDirectory={directory.FullName}");
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                Interlocked.Increment(ref connections);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        // The certificate is the test's own server's.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        using var client = new HttpClient(handler)
        {
            BaseAddress = new(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{port}")),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        for (var i = 0; i < 3; i++)
        {
            using var content = new ByteArrayContent(new byte[10 * Mebibyte]);
            content.Headers.ContentType = new("text/plain");
            using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = content, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Headers.TransferEncodingChunked = isChunked;
            using var response = await client.SendAsync(request, Cancellation);
            await ReadProblemAsync(response, 413);
        }

        using var answer = await client.GetAsync("/workers", Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(1, connections);
        directory.Delete(recursive: true);
    }

    private static async Task<string> WriteThenReadAsync(Socket client, string path, string type, int bytes, bool isChunked, bool close = false)
    {
        await client.SendAsync(Head(path, type, bytes, isChunked, close), Cancellation);
        for (var sent = 0; sent < bytes; sent += Part.Length) await SendPartAsync(client, isChunked);
        if (isChunked) await client.SendAsync("0\r\n\r\n"u8.ToArray(), Cancellation);
        var buffer = new byte[64 * 1024];
        return Encoding.UTF8.GetString(buffer, 0, await Eventually.DoneAsync(client.ReceiveAsync(buffer, Cancellation).AsTask(), "an answer"));
    }

    private static async Task SendPartAsync(Socket client, bool isChunked)
    {
        if (isChunked) await client.SendAsync("10000\r\n"u8.ToArray(), Cancellation);
        for (var sent = 0; sent < Part.Length;) sent += await client.SendAsync(Part.AsMemory(sent), Cancellation);
        if (isChunked) await client.SendAsync("\r\n"u8.ToArray(), Cancellation);
    }

    private static async Task<string> ReadAsync(Socket client)
    {
        var answer = new StringBuilder();
        var buffer = new byte[64 * 1024];
        try
        {
            while (await client.ReceiveAsync(buffer, Cancellation) is > 0 and var read) answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        catch (SocketException)
        {
            // The server has closed what it does not read any more.
        }

        return answer.ToString();
    }

    private static byte[] Head(string path, string type, long bytes, bool isChunked, bool close = false) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\n{(close ? "Connection: close\r\n" : "")}{(isChunked ? "Transfer-Encoding: chunked" : $"Content-Length: {bytes}")}\r\n\r\n"));
}
