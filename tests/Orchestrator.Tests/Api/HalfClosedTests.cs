using System.Net.Sockets;
using System.Text;
using Lab.Orchestrator.Dispatch;
using Lab.Testing;
using Microsoft.Extensions.DependencyInjection;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Who closes its side has asked all that it will ask, and gets its answer; who has gone leaves the queue.</summary>
public sealed class HalfClosedTests : IAsyncLifetime
{
    private const string Abc = "Content-Length: 3\r\n\r\nabc";
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunningOrchestrator _lab = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What is sent, in pieces, before the side is closed, and how many answers it asks for.</summary>
    public static TheoryData<string[], int> Requests => new()
    {
        { [Post("/new_request", Abc)], 1 },
        { [Post("/new_request", "Content-Length: 3\r\n\r\n"), "abc"], 1 },
        { [Post("/new_request", "Content-Length: 3\r\n\r\na"), "bc"], 1 },
        { [Post("/new_request", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")], 1 },
        { [Post("/new_request", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc"), "\r\n0\r\n\r\n"], 1 },
        { [Post("/predict", "Content-Length: 16\r\n\r\n{\"inputs\":\"abc\"}")], 1 },
        { ["GET /workers HTTP/1.1\r\nHost: localhost\r\n\r\n"], 1 },
        { [Post("/new_request", Abc) + Post("/new_request", Abc) + Post("/new_request", Abc)], 3 },
        // Not whole: nobody waits for anything.
        { [Post("/new_request", "Content-Length: 4\r\n\r\nabc")], 0 },
        { [Post("/new_request", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")], 0 },
        { ["POST /new_request HTTP/1.1\r\nHost: localhost\r\n"], 0 },
    };

    public async ValueTask InitializeAsync()
    {
        _lab = await StartAsync(workers: 1);
        _lab.Workers[0].Handle = async (text, _) =>
        {
            if (text.StartsWith("held", StringComparison.Ordinal)) await _release.Task;
            return StubWorker.Answer(text);
        };
    }

    public ValueTask DisposeAsync() => _lab.DisposeAsync();

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_AndCloseTogether_GetsItsAnswer(string[] pieces, int answers)
    {
        for (var i = 0; i < 10; i++)
        {
            using var client = await _lab.ConnectAsync();
            foreach (var piece in pieces) await SendAsync(client, piece);
            client.Shutdown(SocketShutdown.Send);
            var answer = await ReadToEndAsync(client);
            Assert.Equal(answers, answer.Split("HTTP/1.1 200 OK\r\n").Length - 1);
        }

        Assert.DoesNotContain(_lab.Log, line => line.Contains("unhandled exception", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/new_request", "held")]
    [InlineData("/predict", "{\"inputs\":\"held\"}")]
    public async Task Request_ClosedWhileItWaits_GetsItsAnswer(string path, string body)
    {
        using var client = await _lab.ConnectAsync();
        await SendAsync(client, Post(path, $"Content-Length: {body.Length}\r\n\r\n{body}"));
        await UntilHeldAsync();
        client.Shutdown(SocketShutdown.Send);

        // Only once its close has been seen the worker goes on.
        Assert.Equal("HTTP/1.1 102 Processing\r\n\r\n", await ReadAsync(client));
        _release.SetResult();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReadToEndAsync(client), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1", "")]
    [InlineData("HTTP/1.1", "Expect: 100-continue\r\n")]
    [InlineData("HTTP/1.0", "")]
    public async Task Request_ItsClientHasGone_LeavesTheQueue(string version, string header)
    {
        using var first = await HoldTheWorkerAsync();
        using (var second = await _lab.ConnectAsync())
        {
            await SendAsync(second, Post("/new_request", $"{header}Content-Length: 6\r\n\r\n").Replace("HTTP/1.1", version, StringComparison.Ordinal));
            if (header != "") Assert.StartsWith("HTTP/1.1 100 ", await ReadAsync(second), StringComparison.Ordinal);
            await SendAsync(second, "second");
            await UntilQueuedAsync();
        }

        await _lab.UntilLoggedAsync("its client hung up while it was Queued");
        await EndAsync();
    }

    [Fact]
    public async Task Request_ItsClientHasClosedItsSideAndThenGone_LeavesTheQueue()
    {
        using var first = await HoldTheWorkerAsync();
        using (var second = await _lab.ConnectAsync())
        {
            await SendAsync(second, Post("/new_request", "Content-Length: 6\r\n\r\nsecond"));
            await UntilQueuedAsync();
            second.Shutdown(SocketShutdown.Send);
            Assert.Equal("HTTP/1.1 102 Processing\r\n\r\n", await ReadAsync(second));
            second.LingerState = new(enable: true, seconds: 0);
        }

        await _lab.UntilLoggedAsync("its client hung up while it was Queued");
        await EndAsync();
    }

    [Fact]
    public async Task Stream_ClientClosesItsSide_Ends()
    {
        using var client = await _lab.ConnectAsync();
        await SendAsync(client, "GET /workers?stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReadAsync(client), StringComparison.Ordinal);
        client.Shutdown(SocketShutdown.Send);
        await ReadToEndAsync(client);
    }

    private static string Post(string path, string rest) =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {(path is "/new_request" ? "text/plain" : "application/json")}\r\n{rest}";

    private static async Task SendAsync(Socket client, string what) => await client.SendAsync(Encoding.ASCII.GetBytes(what), Cancellation);

    private static async Task<string> ReadAsync(Socket client)
    {
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await Eventually.DoneAsync(client.ReceiveAsync(buffer, Cancellation).AsTask(), "something to read"));
    }

    private static async Task<string> ReadToEndAsync(Socket client)
    {
        var all = new StringBuilder();
        try
        {
            while (await ReadAsync(client) is { Length: > 0 } read) all.Append(read);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            // How the server ends what it cannot read.
        }

        return all.ToString();
    }

    private async Task<Socket> HoldTheWorkerAsync()
    {
        var client = await _lab.ConnectAsync();
        await SendAsync(client, Post("/new_request", "Content-Length: 4\r\n\r\nheld"));
        await UntilHeldAsync();
        return client;
    }

    private Task UntilHeldAsync() => Eventually.TrueAsync(() => !_lab.Workers[0].Texts.IsEmpty, "the worker has the text");

    private Task UntilQueuedAsync() => Eventually.TrueAsync(
        async () => (await _lab.Services.GetRequiredService<Dispatcher>().TakeSnapshotAsync(0, Cancellation)).Queued == 1, "the second waits");

    private async Task EndAsync()
    {
        _release.SetResult();
        using var last = await _lab.PostAsync("last");
        Assert.DoesNotContain("second", _lab.Workers[0].Texts);
    }
}
