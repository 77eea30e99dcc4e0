using System.Net;
using System.Net.Sockets;
using System.Text;
using Lab.Testing;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>What clients send takes no more memory than there is, and costs nobody else an answer.</summary>
public sealed class MemoryTests
{
    private const int Megabyte = 1024 * 1024;
    private const string HeapLimit = "0x10000000";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_MoreLargeTextsThanMemory_SomeAreRefusedAndAllOthersAnswered()
    {
        await using var worker = await StubWorker.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        worker.Handle = async (text, _) =>
        {
            await release.Task;
            return StubWorker.Answer(text);
        };
        await using var lab = await StartAsync(worker);
        var text = new byte[Megabyte];
        text.AsSpan().Fill((byte)'a');
        var answers = Enumerable.Range(0, 700).Select(_ => PostAsync(lab.Client, text)).ToList();
        // Those that wait do so until the worker goes on; all others have been told, and nothing is being read any more.
        await lab.UntilMetricsAsync(metrics => metrics["lab_queue_depth"] + metrics["lab_workers_busy"] + answers.Count(answer => answer.IsCompleted) >= answers.Count);
        // A client of its own: a connection of those that were refused may be closed as it is used again.
        using var other = new HttpClient { BaseAddress = lab.Client.BaseAddress };
        using (var small = PostAsync(other, "small"u8.ToArray()))
        {
            release.SetResult();
            Assert.Equal(HttpStatusCode.OK, await small);
        }

        var statuses = await Task.WhenAll(answers);
        Assert.All(statuses, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable, $"{status}"));
        Assert.InRange(statuses.Count(status => status is HttpStatusCode.OK), 20, 100);
        using var health = await lab.Client.GetAsync(new Uri("/health", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public async Task Post_ManyBodiesThatNeverEnd_LeaveRoomForOthers()
    {
        await using var worker = await StubWorker.StartAsync();
        await using var lab = await StartAsync(worker);
        var sockets = new List<Socket>();
        var part = new byte[Megabyte - 1000];
        part.AsSpan().Fill((byte)'a');
        for (var i = 0; i < 400; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { Blocking = true, SendTimeout = 2000 };
            sockets.Add(socket);
            await socket.ConnectAsync(lab.Client.BaseAddress!.Host, lab.Client.BaseAddress.Port, Cancellation);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /new_request HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {Megabyte}\r\n\r\n"), Cancellation);
            try
            {
                socket.Send(part);
            }
            catch (SocketException)
            {
                // It was refused before all of it had come.
            }
        }

        Assert.Equal(HttpStatusCode.OK, await PostAsync(lab.Client, "small"u8.ToArray()));
        foreach (var socket in sockets) socket.Dispose();
    }

    private static async Task<ServiceProcess> StartAsync(StubWorker worker)
    {
        var lab = await ServiceProcess.StartAsync("Orchestrator.dll",
            ["--Jobs:Path=jobs.db", $"--Workers:worker-1={worker.Address}", "--Orchestrator:Deadline=00:05:00", "--Orchestrator:DispatchTimeout=00:05:00"],
            new Dictionary<string, string?> { ["DOTNET_GCHeapHardLimit"] = HeapLimit });
        lab.Client.Timeout = TimeSpan.FromMinutes(5);
        await lab.UntilHealthyAsync();
        return lab;
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, byte[] text)
    {
        using var content = new ByteArrayContent(text);
        content.Headers.ContentType = new("text/plain");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request") { Content = content };
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            // A refusal may come while the body is still being sent, and the connection end with it.
            return HttpStatusCode.ServiceUnavailable;
        }
    }
}
