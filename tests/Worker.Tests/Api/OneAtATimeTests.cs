using System.Net;
using System.Text.Json;
using Lab.Testing;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Api;

public sealed class OneAtATimeTests
{
    private const string Text = """{"text":"fine"}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_WhileComputing_IsRefusedAtOnce()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner));
        model.Hold();
        var first = worker.PostJsonAsync("/run_model", Text, Cancellation);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");

        using (var second = await worker.PostJsonAsync("/run_model", Text, Cancellation))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
            Assert.Equal("application/problem+json", second.Content.Headers.ContentType?.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter?.Delta);
        }

        using (var predict = await worker.PostJsonAsync("/predict", """{"inputs":[["a"],["b"]]}""", Cancellation))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, predict.StatusCode);
            Assert.Contains("\"error_type\":\"overloaded\"", await predict.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        // A worker that computes is well, and ready.
        Assert.Equal(HttpStatusCode.OK, (await worker.Client.GetAsync("/alive", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await worker.Client.GetAsync("/health", Cancellation)).StatusCode);

        model.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(1, model.Computations);
        Assert.Equal(HttpStatusCode.OK, (await worker.PostJsonAsync("/run_model", Text, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Post_ManyAtOnce_OneIsComputed()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner));
        model.Hold();

        var requests = Enumerable.Range(0, 8).Select(_ => worker.PostJsonAsync("/run_model", Text, Cancellation)).ToList();
        for (var refused = 0; refused < 7; refused++)
        {
            var done = await Eventually.DoneAsync(Task.WhenAny(requests), "one of the requests is answered");
            Assert.Equal(HttpStatusCode.TooManyRequests, (await done).StatusCode);
            requests.Remove(done);
        }

        model.Release();
        Assert.Equal(HttpStatusCode.OK, (await requests.Single()).StatusCode);
        Assert.Equal(1, model.Computations);
    }

    [Fact]
    public async Task Post_ClientHangsUp_TheWorkerIsBusyUntilTheComputationEnds()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner));
        model.Hold();
        using var hangUp = new CancellationTokenSource();
        var first = worker.PostJsonAsync("/run_model", Text, hangUp.Token);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");

        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await worker.PostJsonAsync("/run_model", Text, Cancellation)).StatusCode);

        model.Release();
        await Eventually.TrueAsync(() => !worker.Gate.IsTaken, "the model is free");
        Assert.Equal(HttpStatusCode.OK, (await worker.PostJsonAsync("/run_model", Text, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Post_ComputationFails_Is500InTheShapeOfEachContract()
    {
        await using var worker = await RunningWorker.StartAsync(inner => new FailingModel(inner));

        using var run = await worker.PostJsonAsync("/run_model", Text, Cancellation);
        Assert.Equal(HttpStatusCode.InternalServerError, run.StatusCode);
        Assert.Equal("application/problem+json", run.Content.Headers.ContentType?.MediaType);
        using var predict = await worker.PostJsonAsync("/predict", """{"inputs":"a"}""", Cancellation);
        Assert.Equal(HttpStatusCode.InternalServerError, predict.StatusCode);
        using var json = JsonDocument.Parse(await predict.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("backend", json.RootElement.GetProperty("error_type").GetString());
        Assert.Equal(HttpStatusCode.OK, (await worker.Client.GetAsync("/alive", Cancellation)).StatusCode);
    }

    // Warm, and then out of order.
    private sealed class FailingModel(Lab.Worker.Inference.ILogitsModel inner) : Lab.Worker.Inference.ILogitsModel
    {
        private int _computations;

        public float[][] ComputeLogits(IReadOnlyList<TokenizedText> texts) =>
            ++_computations <= 2 ? inner.ComputeLogits(texts) : throw new InvalidOperationException("out of order");

        public void Dispose() => inner.Dispose();
    }
}
