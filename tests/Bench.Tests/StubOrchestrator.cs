using System.Globalization;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.Bench.Tests;

/// <summary>An orchestrator that answers as a test wants it: a real server on a real port.</summary>
internal sealed class StubOrchestrator : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _count;
    private int _underWay;
    private int _most;

    private StubOrchestrator(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Requests for answers so far.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The most that were under way at once.</summary>
    public int MostAtOnce => Volatile.Read(ref _most);

    /// <summary>The workers that it lists.</summary>
    public Dictionary<string, WorkerStatus> Workers { get; } = new() { ["worker-1"] = new("127.0.0.1", 1, "free", 0, 0), ["worker-2"] = new("127.0.0.1", 2, "free", 0, 0) };

    /// <summary>What it does with the request of a number, from 1.</summary>
    public Func<HttpContext, string, int, Task> Handle { get; set; } = (context, text, number) => AnswerAsync(context, text, number);

    /// <summary>What its <c>/metrics</c> says; <c>null</c> for 404.</summary>
    public Func<string?> Metrics { get; set; } = () => null;

    /// <summary>Calls of drain and resume, in order.</summary>
    public List<string> Changes { get; } = [];

    public static async Task<StubOrchestrator> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var stub = new StubOrchestrator(app);
        app.MapGet("/workers", () => TypedResults.Json(stub.Workers, WireJson.Relaxed.DictionaryStringWorkerStatus));
        app.MapGet("/metrics", IResult () => stub.Metrics() is { } metrics ? TypedResults.Text(metrics) : TypedResults.NotFound());
        app.MapPost("/workers/{name}/{change}", (string name, string change) =>
        {
            lock (stub.Changes)
            {
                stub.Changes.Add($"{change} {name}");
                stub.Workers[name] = stub.Workers[name] with { Status = change == "drain" ? "draining" : "free" };
            }

            return TypedResults.NoContent();
        });
        app.MapPost("/new_request", stub.TakeAsync);
        await app.StartAsync();
        return stub;
    }

    /// <summary>A good answer.</summary>
    public static Task AnswerAsync(HttpContext context, string text, int number, Guid? id = null, string label = "POSITIVE") =>
        context.Response.WriteAsJsonAsync(
            new RequestAnswer((id ?? Guid.NewGuid()).ToString(), $"worker-{1 + (number % 2)}", 1, 1, 0.5, 1.5, text, false, label, [0.25f, 0.75f]),
            WireJson.Relaxed.RequestAnswer, cancellationToken: context.RequestAborted);

    /// <summary>A refusal.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string title)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = 1.ToString(CultureInfo.InvariantCulture);
        context.Response.ContentType = "application/problem+json";
        return context.Response.WriteAsync($$"""{"title":"{{title}}","status":{{status}}}""");
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        var number = Interlocked.Increment(ref _count);
        var underWay = Interlocked.Increment(ref _underWay);
        for (var most = _most; underWay > most; most = _most) Interlocked.CompareExchange(ref _most, underWay, most);
        try
        {
            if (!(await TextBody.ReadAsync(context.Request, context.RequestAborted)).TryGet(out var body, out var refusal)) throw new InvalidOperationException(refusal.Detail);
            await Handle(context, body.Text, number);
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }
}
