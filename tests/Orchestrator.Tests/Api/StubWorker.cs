using System.Collections.Concurrent;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>A worker without a model: a real server on a real port whose answer the test decides.</summary>
internal sealed class StubWorker : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubWorker(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public ConcurrentQueue<string> Texts { get; } = new();

    public ConcurrentQueue<string?> TraceParents { get; } = new();

    public bool Healthy { get; set; } = true;

    /// <summary>How long it takes to say so.</summary>
    public TimeSpan HealthTime { get; set; }

    /// <summary>What it says of its model; <c>null</c> for a worker without <c>/info</c>.</summary>
    public ModelInfo? Model { get; set; } = ModelNamed("stub");

    /// <summary>Every batch as it came.</summary>
    public ConcurrentQueue<BatchRequest> BatchRequests { get; } = new();

    /// <summary>What it answers to an orchestrator that shows itself; by default it knows no such question, as workers of an earlier version.</summary>
    public Func<string, IResult> HandlePresence { get; set; } = _ => TypedResults.NotFound();

    /// <summary>What it does with a text; by default it answers at once.</summary>
    public Func<string, HttpContext, Task<IResult>> Handle { get; set; } =
        (text, _) => Task.FromResult<IResult>(Answer(text));

    /// <summary>What it does with a batch; by default it answers at once.</summary>
    public Func<IReadOnlyList<string>, Task<IResult>> HandleBatch { get; set; } = texts => Task.FromResult<IResult>(TypedResults.Json(
        new BatchAnswer(2.5, [.. texts.Select(text => new BatchResult("POSITIVE", [0.25f, 0.75f], text == "too long", Logits: [-1, 0.1f]))]),
        WireJson.Relaxed.BatchAnswer));

    public ConcurrentQueue<int> Batches { get; } = new();

    public static IResult Answer(string text) => TypedResults.Json(
        new ModelAnswer(text, "POSITIVE", [0.25f, 0.75f], 1.5, Truncated: text == "too long"), WireJson.Relaxed.ModelAnswer);

    public static ModelInfo ModelNamed(string id, string sha = "5a", params string[] labels)
    {
        string[] names = labels.Length > 0 ? labels : ["NEGATIVE", "POSITIVE"];
        return new(id, sha, "float32",
            new(new(names.Index().ToDictionary(label => $"{label.Index}", label => label.Item), names.Index().ToDictionary(label => label.Item, label => label.Index))),
            1, 512, 16384, 32, AutoTruncate: false, 1, "1.0.0");
    }

    /// <summary>One whose model gives every text the same scores.</summary>
    public static async Task<StubWorker> StartAsync(ProblemType problem, string[] labels, float[] scores)
    {
        var worker = await StartAsync();
        worker.Model = ModelNamed("stub", labels: labels) with { ProblemType = problem };
        var label = labels[Array.IndexOf(scores, scores.Max())];
        var several = problem is ProblemType.MultiLabel ? MultiLabel.LabelsOf(scores, labels) : null;
        worker.Handle = (text, _) => Task.FromResult<IResult>(TypedResults.Json(new ModelAnswer(text, label, scores, 1.5, false, several), WireJson.Relaxed.ModelAnswer));
        worker.HandleBatch = texts => Task.FromResult<IResult>(TypedResults.Json(
            new BatchAnswer(2.5, [.. texts.Select(_ => new BatchResult(label, scores, false, Labels: several))]), WireJson.Relaxed.BatchAnswer));
        return worker;
    }

    public static async Task<StubWorker> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        var worker = new StubWorker(app);
        app.MapGet("/health", async () =>
        {
            await Task.Delay(worker.HealthTime);
            return TypedResults.StatusCode(worker.Healthy ? 200 : 503);
        });
        app.MapGet("/info", IResult () => worker.Model is { } model ? TypedResults.Json(model, WireJson.Relaxed.ModelInfo) : TypedResults.NotFound());
        app.MapGet(Presence.Path, (HttpContext context) => worker.HandlePresence(context.Request.Query[Presence.Parameter].ToString()));
        app.MapPost("/run_model", async Task<IResult> (HttpContext context) =>
        {
            if (!(await TextBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) return refusal.ToResult();
            worker.Texts.Enqueue(body.Text);
            worker.TraceParents.Enqueue(context.Request.Headers.TraceParent);
            return await worker.Handle(body.Text, context);
        });
        app.MapPost("/run_batch", async Task<IResult> (HttpContext context) =>
        {
            var batch = (await context.Request.ReadFromJsonAsync(WireJson.Relaxed.BatchRequest, context.RequestAborted))!;
            foreach (var text in batch.Texts) worker.Texts.Enqueue(text);
            worker.BatchRequests.Enqueue(batch);
            worker.Batches.Enqueue(batch.Texts.Count);
            // Whatever the test makes of the texts, the tokens are theirs.
            var result = await worker.HandleBatch(batch.Texts);
            return result is not JsonHttpResult<BatchAnswer> { Value: { } answer } ? result
                : TypedResults.Json(answer with { Results = [.. answer.Results.Select((one, i) => one with { Token = batch.Tokens?[i] })] }, WireJson.Relaxed.BatchAnswer);
        });
        await app.StartAsync();
        return worker;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
