using System.Net.Http.Headers;
using System.Text;
using Lab.Worker.Checkpoints;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.Worker.Tests.Api;

/// <summary>The worker's application in this process, on a real socket; by default with the bundled model, and ready.</summary>
public sealed class RunningWorker : IAsyncLifetime
{
    private readonly WebApplication _app;
    private int _aborted;

    public RunningWorker()
        : this(null)
    {
    }

    private RunningWorker(Action<WebApplicationBuilder>? configure, params string[] settings)
    {
        _app = WorkerApplication.Create(["--urls=http://127.0.0.1:0", $"--Worker:CacheDirectory={TestModels.CacheDirectory}", .. settings], builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<IStartupFilter>(new AbortCounter(() => Interlocked.Increment(ref _aborted)));
            configure?.Invoke(builder);
        });
    }

    // On a busy machine the server's word on the headers may take more than the second that is waited for it by default.
    public HttpClient Client { get; } = new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(30) }) { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Tells this worker's measurements from those of others in the process.</summary>
    internal object MeterScope => _app.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();

    /// <summary>How many requests the worker has seen abandoned.</summary>
    internal int Aborted => Volatile.Read(ref _aborted);

    internal InferenceGate Gate => _app.Services.GetRequiredService<InferenceGate>();

    internal Departure Departure => _app.Services.GetRequiredService<Departure>();

    /// <summary>A worker whose model is loaded by the test.</summary>
    internal static async Task<RunningWorker> StartAsync(Func<WorkerTelemetry, TextModel> load, bool waitUntilReady = true, params string[] settings)
    {
        var worker = new RunningWorker(builder => builder.Services.AddSingleton<ModelLoader>(services =>
            _ => load(services.GetRequiredService<WorkerTelemetry>())), settings);
        await worker.StartAsync(waitUntilReady);
        return worker;
    }

    /// <summary>A worker with the bundled model behind <paramref name="wrap"/>.</summary>
    internal static Task<RunningWorker> StartAsync(Func<ILogitsModel, ILogitsModel> wrap, params string[] settings) =>
        StartAsync(telemetry => OpenBundled(telemetry, wrap), waitUntilReady: true, settings);

    /// <summary>The same by a clock of the test's own.</summary>
    internal static async Task<RunningWorker> StartAsync(Func<ILogitsModel, ILogitsModel> wrap, TimeProvider time)
    {
        var worker = new RunningWorker(builder => builder.Services.AddSingleton(time).AddSingleton<ModelLoader>(services =>
            _ => OpenBundled(services.GetRequiredService<WorkerTelemetry>(), wrap)));
        await worker.StartAsync(waitUntilReady: true);
        return worker;
    }

    /// <summary>The bundled model behind <paramref name="wrap"/>.</summary>
    internal static TextModel OpenBundled(WorkerTelemetry telemetry, Func<ILogitsModel, ILogitsModel> wrap)
    {
        var config = EncoderConfig.Read(TestModels.Bundled);
        var tokenizer = new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), new(Lowercase: true), config.MaxPositions);
        return new(new("minilm-sst2", "", config.Labels, config.MaxPositions), tokenizer, wrap(TestModels.OpenBundled(new())), telemetry);
    }

    public ValueTask InitializeAsync() => new(StartAsync(waitUntilReady: true));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>Waits until the model is loaded, or has failed to load.</summary>
    public Task LoadedAsync() => _app.Services.GetRequiredService<ModelHost>().ExecuteTask!;

    public Task<HttpResponseMessage> PostAsync(string path, byte[] body, string? contentType, CancellationToken cancellationToken = default)
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null) content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        // A server that refuses a large body unread may hang up on who keeps sending it.
        request.Headers.ExpectContinue = body.Length > 1 << 20;
        return Client.SendAsync(request, cancellationToken);
    }

    public Task<HttpResponseMessage> PostJsonAsync(string path, string json, CancellationToken cancellationToken = default) =>
        PostAsync(path, Encoding.UTF8.GetBytes(json), "application/json", cancellationToken);

    private async Task StartAsync(bool waitUntilReady)
    {
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Urls.Single());
        if (waitUntilReady) await LoadedAsync();
    }

    private sealed class AbortCounter(Action count) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, following) =>
            {
                context.RequestAborted.Register(count);
                return following(context);
            });
            next(app);
        };
    }
}
