using System.Net;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests.Api;

public sealed class ReadinessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_WhileTheModelLoads_AliveButNotReady()
    {
        using var load = new ManualResetEventSlim();
        await using var worker = await RunningWorker.StartAsync(telemetry =>
        {
            load.Wait(TimeSpan.FromSeconds(60));
            return TextModel.Load(new WorkerOptions(), telemetry, TimeProvider.System, NullLogger.Instance);
        }, waitUntilReady: false);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(worker, "/alive"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(worker, "/health"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(worker, "/info"));
        using (var run = await worker.PostJsonAsync("/run_model", """{"text":"a"}""", Cancellation))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, run.StatusCode);
            Assert.NotNull(run.Headers.RetryAfter);
        }

        using (var predict = await worker.PostJsonAsync("/predict", """{"inputs":"a"}""", Cancellation))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, predict.StatusCode);
            Assert.Contains("unhealthy", await predict.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        load.Set();
        await worker.LoadedAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(worker, "/health"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(worker, "/info"));
    }

    [Fact]
    public async Task Get_WhileItsOwnRequestsRun_NotReadyYet()
    {
        // Two computations of the model alone, and one for each of its own requests.
        const int All = 5;
        var computations = 0;
        using var reached = new ManualResetEventSlim();
        using var last = new ManualResetEventSlim();
        await using var worker = await RunningWorker.StartAsync(telemetry => RunningWorker.OpenBundled(telemetry, model => new ObservedModel(model, () =>
        {
            if (Interlocked.Increment(ref computations) != All) return;
            reached.Set();
            last.Wait(TimeSpan.FromSeconds(60));
        })), waitUntilReady: false);

        Assert.True(reached.Wait(TimeSpan.FromSeconds(60), Cancellation));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(worker, "/health"));
        last.Set();
        await worker.LoadedAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(worker, "/health"));
        Assert.Equal(All, computations);
    }

    private static async Task<HttpStatusCode> StatusAsync(RunningWorker worker, string path) =>
        (await worker.Client.GetAsync(path, Cancellation)).StatusCode;

    private sealed class ObservedModel(ILogitsModel inner, Action computing) : ILogitsModel
    {
        public float[][] ComputeLogits(IReadOnlyList<TokenizedText> texts)
        {
            computing();
            return inner.ComputeLogits(texts);
        }

        public void Dispose() => inner.Dispose();
    }
}
