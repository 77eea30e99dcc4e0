using System.Net.Http.Headers;
using System.Text;
using Lab.Worker.Inference;
using Lab.Worker.ModelBuilding;
using Lab.Worker.Tokenization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.Worker.Tests.Api;

/// <summary>The worker's application in this process, on a real socket; by default with the bundled model, and ready.</summary>
public sealed class RunningWorker : IAsyncLifetime
{
    private readonly WebApplication _app;

    public RunningWorker()
        : this(null)
    {
    }

    private RunningWorker(Action<WebApplicationBuilder>? configure) =>
        _app = WorkerApplication.Create(["--urls=http://127.0.0.1:0"], builder =>
        {
            builder.Logging.ClearProviders();
            configure?.Invoke(builder);
        });

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Tells this worker's measurements from those of others in the process.</summary>
    internal object MeterScope => _app.Services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();

    internal InferenceGate Gate => _app.Services.GetRequiredService<InferenceGate>();

    /// <summary>A worker whose model is loaded by the test.</summary>
    internal static async Task<RunningWorker> StartAsync(Func<WorkerTelemetry, TextModel> load, bool waitUntilReady = true)
    {
        var worker = new RunningWorker(builder => builder.Services.AddSingleton<ModelLoader>(services =>
            () => load(services.GetRequiredService<WorkerTelemetry>())));
        await worker.StartAsync(waitUntilReady);
        return worker;
    }

    /// <summary>A worker with the bundled model behind <paramref name="wrap"/>.</summary>
    internal static Task<RunningWorker> StartAsync(Func<ILogitsModel, ILogitsModel> wrap) =>
        StartAsync(telemetry =>
        {
            var config = DistilBertConfig.Read(TestModels.Bundled);
            var tokenizer = new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), new(Lowercase: true), config.MaxPositions);
            var session = DistilBertSession.Open(config, DistilBertWeights.Open(TestModels.Bundled, config), threads: 1);
            return new(new("tiny-sst2", "", config.Labels, config.MaxPositions), tokenizer, wrap(session), telemetry);
        });

    public ValueTask InitializeAsync() => new(StartAsync(waitUntilReady: true));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>Waits until the model is loaded, or has failed to load.</summary>
    public Task LoadedAsync() => _app.Services.GetRequiredService<ModelHost>().ExecuteTask!;

    public Task<HttpResponseMessage> PostAsync(string path, byte[] body, string? contentType, CancellationToken cancellation = default)
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null) content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        // A server that refuses a large body unread may hang up on who keeps sending it.
        request.Headers.ExpectContinue = body.Length > 1 << 20;
        return Client.SendAsync(request, cancellation);
    }

    public Task<HttpResponseMessage> PostJsonAsync(string path, string json, CancellationToken cancellation = default) =>
        PostAsync(path, Encoding.UTF8.GetBytes(json), "application/json", cancellation);

    private async Task StartAsync(bool waitUntilReady)
    {
        await _app.StartAsync();
        Client.BaseAddress = new Uri(_app.Urls.Single());
        if (waitUntilReady) await LoadedAsync();
    }
}
