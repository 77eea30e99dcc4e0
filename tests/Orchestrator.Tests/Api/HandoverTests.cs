using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Lab.Testing;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>One orchestrator takes over another's address under load, and stops finish what was accepted.</summary>
public sealed class HandoverTests : IAsyncLifetime
{
    private const int Clients = 8;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-test-");
    private StubWorker _worker = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _worker = await StubWorker.StartAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Terminate_AnotherListensOnTheSameAddress_NoRequestFails()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sharing a port in this way is Linux's");
        var port = FreePorts.Take();
        // Long enough for connections to come before the next process knows a worker, if it listened then.
        _worker.HealthTime = TimeSpan.FromMilliseconds(300);
        var first = await StartAsync(port);
        var failures = new ConcurrentQueue<string>();
        var served = 0;
        using var enough = new CancellationTokenSource();
        var load = Enumerable.Range(0, Clients).Select(i => LoadAsync(port, keepAlive: i % 2 == 0, failures, () => Interlocked.Increment(ref served), enough.Token)).ToList();
        for (var turn = 0; turn < 2; turn++)
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref served) >= 200 * (turn + 1), "200 more answers");
            var second = await StartAsync(port);
            Assert.Equal(0, await first.TerminateAsync());
            await first.DisposeAsync();
            first = second;
        }

        var before = Volatile.Read(ref served);
        await Eventually.TrueAsync(() => Volatile.Read(ref served) >= before + 200, "200 more answers");
        await enough.CancelAsync();
        await Task.WhenAll(load);
        await first.DisposeAsync();
        Assert.True(failures.IsEmpty, string.Join('\n', failures));
    }

    [Fact]
    public async Task Terminate_ConnectionThatIsNotToldYet_IsWaitedFor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sharing a port in this way is Linux's");
        var first = await StartAsync(FreePorts.Take());
        using (await first.Client.GetAsync("/alive", Cancellation))
        {
        }

        var stopped = first.TerminateAsync();
        await StillRunsAsync(stopped, TimeSpan.FromSeconds(2));
        using (var told = await first.Client.GetAsync("/alive", Cancellation)) Assert.True(told.Headers.ConnectionClose);

        Assert.Equal(0, await stopped);
        await first.DisposeAsync();
    }

    [Fact]
    public async Task Start_AddressTakenWithoutSharing_Fails()
    {
        await using var first = await StartAsync(FreePorts.Take(), share: false);
        var run = await ServiceProcess.FailAsync("Orchestrator.dll", Settings(first.Client.BaseAddress!.Port, share: false));
        Assert.NotEqual(0, run.Code);
    }

    [Fact]
    public async Task Terminate_WithARequestAtAWorker_AnswersItFirst()
    {
        var release = new TaskCompletionSource();
        _worker.Handle = async (text, _) =>
        {
            await release.Task;
            return StubWorker.Answer(text);
        };
        await using var lab = await StartAsync(FreePorts.Take());
        var asked = lab.Client.PostAsync("/new_request", new StringContent("a"), Cancellation);
        await Eventually.TrueAsync(() => !_worker.Texts.IsEmpty, "the request is at the worker");
        var stopped = lab.TerminateAsync();
        await StillRunsAsync(stopped, TimeSpan.FromSeconds(1));
        release.SetResult();
        using var response = await asked;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(0, await stopped);
    }

    private static async Task LoadAsync(int port, bool keepAlive, ConcurrentQueue<string> failures, Action served, CancellationToken enough)
    {
        using var client = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.ConnectionClose = !keepAlive;
        var sinceAnswer = Stopwatch.StartNew();
        while (!enough.IsCancellationRequested)
        {
            var idle = sinceAnswer.Elapsed;
            try
            {
                using var response = await client.PostAsync("/new_request", new StringContent("a"), Cancellation);
                if (response.StatusCode is HttpStatusCode.OK) served();
                else failures.Enqueue($"{(int)response.StatusCode}");
                sinceAnswer.Restart();
            }
            catch (HttpRequestException e)
            {
                failures.Enqueue($"{(keepAlive ? "kept" : "new")} connection, asked {idle.TotalSeconds:F3} s after the answer before, failed {sinceAnswer.Elapsed.TotalSeconds:F3} s after it: {e.GetBaseException().Message}");
                sinceAnswer.Restart();
            }
        }
    }

    private Task<ServiceProcess> StartAsync(int port, bool share = true) => ServiceProcess.StartAsync("Orchestrator.dll", Settings(port, share));

    private string[] Settings(int port, bool share) =>
    [
        $"--urls=http://127.0.0.1:{port}", $"--Workers:worker-1={_worker.Address}", $"--Orchestrator:ReusePort={share}",
        $"--Jobs:Path={Path.Combine(_directory.FullName, "jobs.db")}",
    ];

    // That it waits shows in nothing but in its not ending: the longer one looks, the surer. Looking too briefly fails no test.
    private static async Task StillRunsAsync(Task<int> stopped, TimeSpan time)
    {
        await Task.WhenAny(stopped, Task.Delay(time, Cancellation));
        Assert.False(stopped.IsCompleted, $"It ended within {time} instead of waiting.");
    }
}
