using System.Net;
using Lab.Testing;

namespace Lab.Worker.Tests.Api;

public sealed class QueueLimitTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_QueueLimitOfOne_OneWaitsAndTheNextIsRefused()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner), "--Worker:QueueLimit=1");
        model.Hold();
        var first = worker.PostJsonAsync("/run_model", """{"text":"a"}""", Cancellation);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");

        // A batch is one of those that wait, whatever its size.
        var second = worker.PostJsonAsync("/run_batch", """{"texts":["a","b","c"]}""", Cancellation);
        await Eventually.TrueAsync(() => worker.Gate.Waiting == 1, "one waits for the model");
        using (var third = await worker.PostJsonAsync("/predict", """{"inputs":"a"}""", Cancellation))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
            Assert.Contains("overloaded", await third.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        model.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await second).StatusCode);
    }

    [Fact]
    public async Task Post_ClientGoneWhileWaiting_IsNotComputed()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner), "--Worker:QueueLimit=2");
        model.Hold();
        var first = worker.PostJsonAsync("/run_model", """{"text":"a"}""", Cancellation);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");
        using var gone = new CancellationTokenSource();
        var second = worker.PostJsonAsync("/run_model", """{"text":"b"}""", gone.Token);
        await Eventually.TrueAsync(() => worker.Gate.Waiting == 1, "one waits for the model");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Eventually.TrueAsync(() => worker.Aborted == 1, "the worker knows that the client has gone");

        model.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        await Eventually.TrueAsync(() => !worker.Gate.IsTaken, "the model is free");
        Assert.Equal(1, model.Computations);
    }

    [Fact]
    public async Task RunBatch_Options_PairsLogitsAndTheSideThatIsCut()
    {
        await using var worker = await RunningWorker.StartAsync(inner => inner, "--Worker:QueueLimit=0");
        var text = $"terrible awful mess {string.Concat(Enumerable.Repeat("great ", 600))}";
        var body = $$$"""{"texts":["Excellent product","Excellent product","{{{text}}}","{{{text}}}"],"options":[null,{"pair":"works as advertised","raw_scores":true},{"raw_scores":true},{"cut_left":true,"raw_scores":true}]}""";
        using var response = await worker.PostJsonAsync("/run_batch", body, Cancellation);
        using var json = System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        var results = json.RootElement.GetProperty("results");
        Assert.False(results[0].TryGetProperty("logits", out _));
        Assert.Equal(2, results[1].GetProperty("logits").GetArrayLength());
        Assert.NotEqual(results[0].GetProperty("probabilities")[0].GetSingle(), results[1].GetProperty("probabilities")[0].GetSingle());
        Assert.True(results[2].GetProperty("truncated").GetBoolean());
        Assert.NotEqual(results[2].GetProperty("logits")[0].GetSingle(), results[3].GetProperty("logits")[0].GetSingle());

        using var uneven = await worker.PostJsonAsync("/run_batch", """{"texts":["a","b"],"options":[null]}""", Cancellation);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, uneven.StatusCode);
    }
}
