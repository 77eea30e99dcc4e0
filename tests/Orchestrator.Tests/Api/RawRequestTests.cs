using System.Net.Sockets;
using System.Text;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.Extensions.DependencyInjection;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>What clients do below HTTP is no fault of the server: it is 400 or nothing, and no stack in the log.</summary>
public sealed class RawRequestTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Chunks
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var path in (string[])["/new_request", "/predict", "/v2/models/stub/infer", "/sign-in"])
                foreach (var size in (string[])["80000000", "100000000", "ffffffffffffffff", "1ffffffffffffffffffff", "-1", "x"])
                    data.Add(path, size);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Chunks))]
    public async Task Post_ChunkOfAnImpossibleSize_Is400(string path, string size)
    {
        await using var lab = await StartAsync(workers: 1);
        using var client = await lab.ConnectAsync();
        await SendAsync(client, path, $"Transfer-Encoding: chunked\r\n\r\n{size}\r\nabc");
        var buffer = new byte[1024];
        var read = await Eventually.DoneAsync(client.ReceiveAsync(buffer, Cancellation).AsTask(), "an answer");
        Assert.StartsWith("HTTP/1.1 400 ", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
        Assert.DoesNotContain(lab.Log, line => line.Contains("unhandled exception", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/new_request", "Content-Length: 100\r\n\r\nabc")]
    [InlineData("/new_request", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc")]
    [InlineData("/predict", "Content-Length: 100\r\n\r\nabc")]
    [InlineData("/v2/models/stub/infer", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc")]
    [InlineData("/sign-in", "Content-Length: 100\r\n\r\nabc")]
    public async Task Post_ConnectionResetInMidBody_IsToldToNobody(string path, string rest)
    {
        await using var lab = await StartAsync(workers: 1);
        // What the server makes of it is a matter of chance.
        for (var i = 0; i < 20; i++)
        {
            using var client = await lab.ConnectAsync();
            await SendAsync(client, path, rest);
            client.LingerState = new(enable: i % 2 == 0, seconds: 0);
        }

        await EndWellAsync(lab);
    }

    [Theory]
    [InlineData("/new_request")]
    [InlineData("/predict")]
    public async Task Post_ConnectionResetWhileItsBodyIsRead_IsToldToNobody(string path)
    {
        await using var lab = await StartAsync(workers: 1);
        var memory = lab.Services.GetRequiredService<BodyMemory>();
        for (var i = 0; i < 20; i++)
        {
            using (var client = await lab.ConnectAsync())
            {
                await SendAsync(client, path, "Content-Length: 100000\r\n\r\nabc");
                await Eventually.TrueAsync(() => memory.Held > 0, "the body is being read");
                client.LingerState = new(enable: true, seconds: 0);
            }

            await Eventually.TrueAsync(() => memory.Held == 0, "it is read no longer");
        }

        await EndWellAsync(lab);
    }

    private static async Task EndWellAsync(RunningOrchestrator lab)
    {
        using var answer = await lab.PostAsync("still well");
        Assert.Equal(200, (int)answer.StatusCode);
        await lab.StopAsync();
        string[] faults = ["unhandled exception", "ended abnormally", "invalid state"];
        Assert.DoesNotContain(lab.Log, line => faults.Any(fault => line.Contains(fault, StringComparison.OrdinalIgnoreCase)));
    }

    private static async Task SendAsync(Socket client, string path, string rest)
    {
        var type = path is "/new_request" ? "text/plain" : path is "/sign-in" ? "application/x-www-form-urlencoded" : "application/json";
        await client.SendAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {type}\r\n{rest}"), Cancellation);
    }
}
