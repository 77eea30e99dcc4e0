using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Tests.Api;

/// <summary>The orchestrator as it ships, in this process, on a port of its own, before stub workers.</summary>
internal sealed class RunningOrchestrator : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _jobs;
    private readonly RememberedLog _log;

    private RunningOrchestrator(WebApplication app, IReadOnlyList<StubWorker> workers, DirectoryInfo jobs, RememberedLog log)
    {
        _jobs = jobs;
        _app = app;
        _log = log;
        Workers = workers;
        // On a busy machine the server's word on the headers may take more than the second that is waited for it by default.
        Client = new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(15) }) { BaseAddress = new(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(20) };
    }

    public HttpClient Client { get; }

    public IReadOnlyList<StubWorker> Workers { get; }

    /// <summary>What it has logged since it was put together.</summary>
    public IReadOnlyCollection<string> Log => _log.Messages;

    /// <summary>Its parts.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Every message that has been logged.</summary>
    public IReadOnlyCollection<string> Logged => _log.Messages;

    /// <summary>Everything that is mapped.</summary>
    public IReadOnlyList<RouteEndpoint> Endpoints =>
        [.. _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static Task<RunningOrchestrator> StartAsync(int workers, params string[] settings) => StartAsync(workers, key: null, settings);

    public static async Task<RunningOrchestrator> StartAsync(int workers, string? key, string[] settings, Action<IServiceCollection>? replace = null)
    {
        var stubs = new List<StubWorker>();
        for (var i = 0; i < workers; i++) stubs.Add(await StubWorker.StartAsync());
        var jobs = Directory.CreateTempSubdirectory("lab-jobs-");
        var log = new RememberedLog();
        WebApplication? app = null;
        try
        {
            app = OrchestratorApp.Create(services =>
            {
                services.AddSingleton<ILoggerProvider>(log);
                replace?.Invoke(services);
            }, [
                $"--Jobs:Path={Path.Combine(jobs.FullName, "jobs.db")}",
                $"--Access:SessionKeysDirectory={Path.Combine(jobs.FullName, "sessions")}",
                .. settings.Any(setting => setting.StartsWith("--Access:", StringComparison.Ordinal)) ? (string[])[] : ["--Access:Anonymous=true"],
                "--urls=http://127.0.0.1:0",
                "--Logging:Console:LogLevel:Default=None", "--Logging:LogLevel:Lab.Orchestrator=Debug",
                .. stubs.Select((stub, i) => $"--Workers:worker-{i + 1}={stub.Address}"),
                .. settings,
            ]);
            await app.StartAsync(Cancellation);
        }
        catch
        {
            if (app is not null) await app.DisposeAsync();
            jobs.Delete(recursive: true);
            throw;
        }

        var running = new RunningOrchestrator(app, stubs, jobs, log);
        if (key is not null) running.Client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        if (workers > 0) await running.UntilAsync(table => table.Values.All(worker => worker.Status == "free"));
        return running;
    }

    public async Task<Dictionary<string, WorkerStatus>> GetWorkersAsync() =>
        (await Client.GetFromJsonAsync<Dictionary<string, WorkerStatus>>("/workers", WireJson.Relaxed.Options, Cancellation))!;

    /// <summary>Waits until the worker table is as wanted.</summary>
    public Task UntilAsync(Func<Dictionary<string, WorkerStatus>, bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        Dictionary<string, WorkerStatus> table = [];
        return Eventually.TrueAsync(async () => condition(table = await GetWorkersAsync()), what, () => string.Join('\n', table));
    }

    /// <summary>Waits until something with these words has been logged.</summary>
    public Task UntilLoggedAsync(string words, TimeSpan? limit = null) => Eventually.TrueAsync(
        () => _log.Messages.Any(message => message.Contains(words, StringComparison.Ordinal)),
        $"\"{words}\" is logged", () => string.Join('\n', _log.Messages), limit);

    /// <summary>A connection of the test's own, for what no HTTP client sends.</summary>
    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Client.BaseAddress!.Host, Client.BaseAddress.Port, TestContext.Current.CancellationToken);
        return socket;
    }

    public Task<HttpResponseMessage> PostAsync(string text) =>
        Client.PostAsJsonAsync("/new_request", new { text }, Cancellation);

    public Task<HttpResponseMessage> PostAsync(byte[] body, string? contentType)
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null) content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return Client.PostAsync("/new_request", content, Cancellation);
    }

    public static async Task<RequestAnswer> ReadAnswerAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<RequestAnswer>(WireJson.Relaxed.Options, Cancellation))!;

    /// <summary>Checks that a response is a problem with a status, and gives its detail.</summary>
    public static async Task<string> ReadProblemAsync(HttpResponseMessage response, int status)
    {
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        return problem.RootElement.TryGetProperty("detail", out var detail) ? detail.GetString()! : "";
    }

    /// <summary>Stops it as SIGTERM does; its workers go on.</summary>
    public Task StopAsync() => _app.StopAsync(Cancellation);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
        _jobs.Delete(recursive: true);
        foreach (var worker in Workers) await worker.DisposeAsync();
    }
}
