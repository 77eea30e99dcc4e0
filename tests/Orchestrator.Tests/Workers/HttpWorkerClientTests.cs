using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Workers;

/// <summary>The connections to workers, before real sockets.</summary>
public sealed class HttpWorkerClientTests : IDisposable
{
    private const string Answer = """{"input_text":"a","label":"POSITIVE","probabilities":[0.25,0.75],"inference_ms":1,"truncated":false}""";

    private readonly FakeTimeProvider _time = new();
    private readonly HttpWorkerClient _client;

    public HttpWorkerClientTests() => _client = new(Options.Create(new OrchestratorOptions()), _time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Send_OneAfterTheOther_UsesOneConnection()
    {
        await using var worker = await StubWorker.StartAsync();
        var ports = new ConcurrentBag<int>();
        worker.Handle = (text, context) =>
        {
            ports.Add(context.Connection.RemotePort);
            return Task.FromResult(StubWorker.Answer(text));
        };
        for (var i = 0; i < 20; i++) AssertAnswered(await SendAsync(worker.Address, $"text {i} ü"));
        Assert.Single(ports.Distinct());
    }

    [Fact]
    public async Task Send_LargeTextAndAnswer_ComeWhole()
    {
        await using var worker = await StubWorker.StartAsync();
        var text = new string('ü', 400_000);
        AssertAnswered(await SendAsync(worker.Address, text));
        AssertAnswered(await SendAsync(worker.Address, "small"));
    }

    // A mark before plain text is no part of it. This one is, and the answer has to be to the whole text.
    [Theory]
    [InlineData("\uFEFFgood")]
    [InlineData("\uFEFF")]
    public async Task Send_TextThatBeginsWithAByteOrderMark_ArrivesWithIt(string text)
    {
        await using var worker = await StubWorker.StartAsync();
        AssertAnswered(await SendAsync(worker.Address, text));
        Assert.Equal(text, Assert.Single(worker.Texts));
    }

    [Fact]
    public async Task Send_ConnectionClosedWhileAtRest_OpensAnother()
    {
        using var server = new Server();
        var first = SendAsync(server.Address, "a");
        using (var connection = await server.AcceptAsync())
        {
            await Server.AnswerAsync(connection, $"HTTP/1.1 200 OK\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
            Assert.IsType<WorkerReply.Answered>(await first);
        }

        // The connection rested for long, so that it is looked at before it is used.
        _time.Advance(TimeSpan.FromSeconds(1.1));
        var second = SendAsync(server.Address, "a");
        using var another = await server.AcceptAsync();
        await Server.AnswerAsync(another, $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
        Assert.IsType<WorkerReply.Answered>(await second);

        // Who says that it closes is not asked again.
        var third = SendAsync(server.Address, "a");
        using var last = await server.AcceptAsync();
        await Server.AnswerAsync(last, $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Answer.Length:x}\r\n{Answer}\r\n0\r\n\r\n");
        Assert.IsType<WorkerReply.Answered>(await third);
    }

    [Fact]
    public async Task Send_ConnectionClosedAsItIsUsed_GoesOutAgainAtOnce()
    {
        using var server = new Server();
        var first = SendAsync(server.Address, "a");
        using (var connection = await server.AcceptAsync())
        {
            await Server.AnswerAsync(connection, $"HTTP/1.1 200 OK\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
            Assert.IsType<WorkerReply.Answered>(await first);
        }

        // It rested so shortly that it is used unseen.
        var second = SendAsync(server.Address, "a");
        using var another = await server.AcceptAsync();
        await Server.AnswerAsync(another, $"HTTP/1.1 200 OK\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
        Assert.IsType<WorkerReply.Answered>(await second);
    }

    [Fact]
    public async Task Send_ConnectionResetAtRest_GoesOutAgainAtOnce()
    {
        using var server = new Server();
        var first = SendAsync(server.Address, "a");
        using (var connection = await server.AcceptAsync())
        {
            await Server.AnswerAsync(connection, $"HTTP/1.1 200 OK\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
            Assert.IsType<WorkerReply.Answered>(await first);
            // So that it is the sending that fails, not the reading.
            connection.LingerState = new(enable: true, seconds: 0);
        }

        var second = SendAsync(server.Address, "a");
        using var another = await server.AcceptAsync();
        await Server.AnswerAsync(another, $"HTTP/1.1 200 OK\r\nContent-Length: {Answer.Length}\r\n\r\n{Answer}");
        Assert.IsType<WorkerReply.Answered>(await second);
    }

    [Fact]
    public void MaxAnswerBytes_FollowFromTheTextAndTheLabels()
    {
        var address = new Uri("http://127.0.0.1:1");
        Assert.InRange(HttpWorkerClient.MaxAnswerBytes(Call(address, "a")), 64 * 1024, 200 * 1024);
        Assert.InRange(HttpWorkerClient.MaxAnswerBytes(Call(address, new('a', 1000_000))), 6_000_000, 6_200_000);
        var labelled = new WorkerNode("worker-1", address) { Model = StubWorker.ModelNamed("many", "5a", [.. Enumerable.Range(0, 10_000).Select(i => $"{i}")]) };
        Assert.InRange(HttpWorkerClient.MaxAnswerBytes(new(1, labelled, [new(Guid.CreateVersion7(), "a", Timeout.InfiniteTimeSpan)], 0)), 600_000, 800_000);
        labelled.Model = labelled.Model with { ProblemType = ProblemType.MultiLabel };
        Assert.InRange(HttpWorkerClient.MaxAnswerBytes(new(1, labelled, [new(Guid.CreateVersion7(), "a", Timeout.InfiniteTimeSpan)], 0)), 760_000, 960_000);
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", "announces")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;x=0123456789012345678901234567890123456789012345678901234567890123456789\r\na\r\n", "larger")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "x: y\r\n", "larger")]
    public async Task Send_EndlessAnswer_HasFailedSoon(params string[] parts)
    {
        using var server = new Server();
        var asked = SendAsync(server.Address, "a");
        using var connection = await server.AcceptAsync();
        await Server.AnswerAsync(connection, parts.Length > 2 ? parts[0] : "");
        var endless = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(parts[^2], 1000)));
        var flood = Task.Run(async () =>
        {
            try
            {
                while (true) await connection.SendAsync(endless, Cancellation);
            }
            catch (SocketException)
            {
                // It has hung up.
            }
        }, Cancellation);
        Assert.Contains(parts[^1], Assert.IsType<WorkerReply.Failed>(await asked.WaitAsync(TimeSpan.FromSeconds(30), Cancellation)).Reason, StringComparison.Ordinal);
        await flood.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    [Fact]
    public async Task Send_WithTraceOfTheClient_HandsItOn()
    {
        using var server = new Server();
        var trace = new System.Diagnostics.ActivityContext(
            System.Diagnostics.ActivityTraceId.CreateFromString("0af7651916cd43dd8448eb211c80319c"), System.Diagnostics.ActivitySpanId.CreateFromString("b7ad6b7169203331"),
            System.Diagnostics.ActivityTraceFlags.Recorded, "vendor=1");
        using var connection = await WorkerConnection.OpenAsync(server.Address, TimeSpan.FromSeconds(5), TimeProvider.System, Cancellation);
        using var accepted = await server.AcceptAsync();
        connection.WriteText("/run_model", trace, "ü"u8);
        var answer = connection.ExchangeAsync(1000, Cancellation).AsTask();
        var request = await Server.AnswerAsync(accepted, "HTTP/1.1 204 No Content\r\n\r\n");
        await answer;
        Assert.Equal(
            $"POST /run_model HTTP/1.1\r\nHost: 127.0.0.1:{server.Address.Port}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
            + "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: vendor=1\r\n\r\nü", request);
    }

    [Theory]
    [InlineData("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "it answered 500")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "not an object")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"input_text\":\"a\",\"label\":\"A\"}", "no label or no probabilities")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", "cannot be read")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "breaks off")]
    [InlineData("no HTTP\r\n\r\n", "not HTTP/1.1")]
    [InlineData("", "without an answer")]
    public async Task Send_BadAnswer_HasFailedAndSaysWhy(string answer, string reason)
    {
        using var server = new Server();
        var asked = SendAsync(server.Address, "a");
        using (var connection = await server.AcceptAsync()) await Server.AnswerAsync(connection, answer);
        Assert.Contains(reason, Assert.IsType<WorkerReply.Failed>(await asked).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_NobodyListens_HasFailed()
    {
        Uri address;
        using (var server = new Server()) address = server.Address;
        Assert.Contains("refused", Assert.IsType<WorkerReply.Failed>(await SendAsync(address, "a")).Reason, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Send_GivenUp_EndsAndClosesTheConnection()
    {
        using var server = new Server();
        var call = Call(server.Address, "a");
        var asked = _client.SendAsync(call);
        using var connection = await server.AcceptAsync();
        call.Abort();
        Assert.Equal("the call was given up", Assert.IsType<WorkerReply.Failed>(await asked).Reason);
        var buffer = new byte[1024];
        int read;
        do read = await connection.ReceiveAsync(buffer, Cancellation);
        while (read > 0);
    }

    [Fact]
    public async Task Send_Busy_IsNoFailure()
    {
        await using var worker = await StubWorker.StartAsync();
        worker.Handle = (_, _) => Task.FromResult<IResult>(TypedResults.StatusCode(StatusCodes.Status429TooManyRequests));
        Assert.IsType<WorkerReply.Busy>(await SendAsync(worker.Address, "a"));
    }

    private static DispatchCall Call(Uri address, string text) => new(1, new("worker-1", address), [new(Guid.CreateVersion7(), text, Timeout.InfiniteTimeSpan)], 0);

    // To the very text, or it would be no answer.
    private static void AssertAnswered(WorkerReply reply) => Assert.NotNull(Assert.IsType<WorkerReply.Answered>(reply).Texts[0].Answer);

    private Task<WorkerReply> SendAsync(Uri address, string text) => _client.SendAsync(Call(address, text)).AsTask();

    /// <summary>A server that answers with whatever bytes the test wants.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public Server()
        {
            _listener.Start();
            Address = new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        }

        public Uri Address { get; }

        public static async Task<string> AnswerAsync(Socket connection, string answer)
        {
            var buffer = new byte[4096];
            var read = await connection.ReceiveAsync(buffer, Cancellation);
            await connection.SendAsync(Encoding.UTF8.GetBytes(answer), Cancellation);
            return Encoding.UTF8.GetString(buffer, 0, read);
        }

        public Task<Socket> AcceptAsync() => Eventually.DoneAsync(_listener.AcceptSocketAsync(Cancellation).AsTask(), "a connection to the worker");

        public void Dispose() => _listener.Dispose();
    }
}
