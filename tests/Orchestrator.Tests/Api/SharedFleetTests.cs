using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Lab.Orchestrator.Tests.Dispatch.Sharing;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.AspNetCore.Http;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>Three orchestrators as processes over the same eight workers, under load, and one of them killed.</summary>
public sealed class SharedFleetTests : IAsyncLifetime
{
    private const int WorkerCount = 8;
    private const int ClientsEach = 8;

    private readonly List<StubWorker> _workers = [];
    private readonly List<ServiceProcess> _orchestrators = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < WorkerCount; i++) _workers.Add(await StartWorkerAsync());
        string[] settings = ["--Jobs:Path=jobs.db", .. _workers.Select((worker, i) => $"--Workers:worker-{i + 1}={worker.Address}")];
        for (var i = 0; i < 3; i++) _orchestrators.Add(await ServiceProcess.StartAsync("Orchestrator.dll", settings));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var orchestrator in _orchestrators) await orchestrator.DisposeAsync();
        foreach (var worker in _workers) await worker.DisposeAsync();
    }

    [Fact]
    public async Task Kill_OneOfThreeUnderLoad_NothingIsLostAtTheOthersAndItsWorkersAreTheirs()
    {
        foreach (var orchestrator in _orchestrators) await orchestrator.UntilMetricsAsync(metrics => metrics["lab_orchestrators"] == 3 && metrics["lab_workers_owned"] == WorkerCount / 3);
        using var enough = new CancellationTokenSource();
        var (wrong, answered) = (new ConcurrentQueue<string>(), new ConcurrentDictionary<ServiceProcess, int>());
        var load = _orchestrators.Take(2).SelectMany(orchestrator => Enumerable.Range(0, ClientsEach).Select(i => AskAsync(orchestrator, $"text {i}", wrong, answered, enough.Token))).ToList();
        // Whatever becomes of those of the one that is killed: their clients know that they have no answer.
        var doomed = Enumerable.Range(0, ClientsEach).Select(i => AskAsync(_orchestrators[2], $"text {i}", [], [], enough.Token)).ToList();
        await Eventually.TrueAsync(() => answered.Count == 2 && answered.Values.All(count => count > 50), "both answer");

        await _orchestrators[2].KillAsync();
        foreach (var orchestrator in _orchestrators.Take(2))
            await orchestrator.UntilMetricsAsync(metrics => metrics["lab_orchestrators"] == 2 && metrics["lab_workers_owned"] == WorkerCount / 2);
        var before = answered.Values.Sum();
        await Eventually.TrueAsync(() => answered.Values.Sum() > before + 100, "both go on");
        await enough.CancelAsync();
        await Task.WhenAll(load.Concat(doomed));
        Assert.Empty(wrong);
    }

    private static async Task AskAsync(ServiceProcess orchestrator, string text, ConcurrentQueue<string> wrong, ConcurrentDictionary<ServiceProcess, int> answered, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            try
            {
                using var content = new StringContent(text, Encoding.UTF8, "text/plain");
                using var response = await orchestrator.Client.PostAsync(new Uri("/new_request", UriKind.Relative), content, Cancellation);
                if (response.StatusCode is HttpStatusCode.OK && (await RunningOrchestrator.ReadAnswerAsync(response)).InputText == text) answered.AddOrUpdate(orchestrator, 1, (_, count) => count + 1);
                else wrong.Enqueue($"{(int)response.StatusCode} for {text}");
            }
            catch (HttpRequestException e)
            {
                wrong.Enqueue(e.Message);
                await Task.Delay(50, Cancellation);
            }
        }
    }

    // One dispatch at a time, room for one of each other orchestrator, and 429 beyond that, as the real one.
    private static async Task<StubWorker> StartWorkerAsync()
    {
        var worker = await StubWorker.StartAsync();
        var known = new SimulatedWorker(worker.Address);
        var started = Stopwatch.GetTimestamp();
        var inside = 0;
        var alone = new SemaphoreSlim(1);
        worker.HandlePresence = id =>
        {
            lock (known) return TypedResults.Json(known.Hear(id, Stopwatch.GetElapsedTime(started).TotalMilliseconds), WireJson.Relaxed.Presence);
        };
        worker.Handle = (text, context) => AloneAsync(context, () => StubWorker.Answer(text));
        var answer = worker.HandleBatch;
        worker.HandleBatch = async texts =>
        {
            var result = await answer(texts);
            return await AloneAsync(context: null, () => result);
        };
        return worker;

        async Task<IResult> AloneAsync(HttpContext? context, Func<IResult> result)
        {
            if (Interlocked.Increment(ref inside) > 3)
            {
                Interlocked.Decrement(ref inside);
                if (context is not null) context.Response.Headers[DispatchHeaders.Busy] = "5";
                return TypedResults.StatusCode(StatusCodes.Status429TooManyRequests);
            }

            await alone.WaitAsync(Cancellation);
            await Task.Delay(TimeSpan.FromMilliseconds(5), Cancellation);
            alone.Release();
            Interlocked.Decrement(ref inside);
            return result();
        }
    }
}
