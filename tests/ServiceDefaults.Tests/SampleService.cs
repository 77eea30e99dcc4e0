using System.Diagnostics;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.OpenInference;
using Lab.ServiceDefaults.Contracts.Predict;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Requests;
using Lab.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Tests;

/// <summary>The least service that has all of the defaults, listening on a free port of this machine.</summary>
internal sealed class SampleService : IAsyncDisposable
{
    public const string UserKey = "user-key-0123456789";
    public const string AdminKey = "admin-key-0123456789";

    /// <summary>The largest body that it reads, in bytes.</summary>
    public const int MaxBodyBytes = 1024;

    public static readonly Refusal Busy = new(StatusCodes.Status429TooManyRequests, "Busy", "There is much to do.", RetryAfter: 7);

    private readonly WebApplication _app;
    private readonly RememberedLog _log;

    private SampleService(WebApplication app, RememberedLog log)
    {
        _app = app;
        _log = log;
        Client = new() { BaseAddress = new(app.Urls.Single().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)) };
    }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>What it has logged, at its own levels.</summary>
    public IReadOnlyCollection<string> Log => _log.Messages;

    /// <summary>Settings of a user's key and an admin's.</summary>
    public static string[] Keys { get; } = [$"--Access:Keys:alice={UserKey}", $"--Access:AdminKeys:root={AdminKey}"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Starts it with settings as command-line arguments.</summary>
    public static async Task<SampleService> StartAsync(params string[] settings)
    {
        var builder = WebApplication.CreateBuilder(["--urls=http://127.0.0.1:0", .. settings]);
        using var log = new RememberedLog();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.AddServiceDefaults(MaxBodyBytes);
        builder.AddAccess();
        builder.Services.AddSingleton<IClassifier, BusyClassifier>();
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddHealthChecks().AddCheck<Readiness>("model");
        var app = builder.Build();
        app.UseExceptionAnswers();
        app.UseClientTrace();
        app.UseRouting();
        app.UseForeignPageRefusal();
        app.UseFastPath();
        app.UseStatusAnswers();
        app.UseAccess();
        app.MapDefaultEndpoints();
        app.MapMetrics();
        app.MapPredict();
        app.MapOpenInference("sample");
        app.MapGet("/fast", (HttpContext context) => context.User.Identity?.Name ?? "").WithFastPath();
        app.MapGet("/slow", (HttpContext context) => context.User.Identity?.Name ?? "");
        app.MapPost("/admin", () => TypedResults.NoContent()).RequireAuthorization(AccessExtensions.AdminPolicy);
        app.MapGet("/refused", () => Busy.ToResult());
        app.MapGet("/broken", IResult () => throw new InvalidOperationException("a secret"));
        app.MapGet("/full", IResult () => throw new InsufficientMemoryException());
        app.MapGet("/trace", () => Activity.Current?.TraceId.ToHexString() ?? "none");
        await app.StartAsync(Cancellation);
        return new(app, log);
    }

    /// <summary>Sends a request, with a key or without.</summary>
    public async Task<HttpResponseMessage> SendAsync(string method, string path, string? key = null, string? json = null)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        if (json is not null) request.Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        return await Client.SendAsync(request, Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>What the service's readiness hangs on.</summary>
    internal sealed class Readiness : IHealthCheck
    {
        public volatile bool IsReady = true;

        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(IsReady ? HealthCheckResult.Healthy("loaded") : HealthCheckResult.Unhealthy("loading"));
    }

    private sealed class BusyClassifier : IClassifier
    {
        public ModelInfo? Model { get; } = new(
            "tiny", "00", "float32", new(new(new Dictionary<string, string> { ["0"] = "A" }, new Dictionary<string, int> { ["A"] = 0 })), 1, 128, 128, 32, false, 1, "1.0.0");

        public ValueTask<bool> IsReadyAsync(CancellationToken cancellationToken) => new(true);

        public Task<Result<Classified>> ClassifyAsync(IReadOnlyList<TextInput> inputs, bool rawScores, HttpContext context) =>
            Task.FromResult<Result<Classified>>(Busy);
    }
}
