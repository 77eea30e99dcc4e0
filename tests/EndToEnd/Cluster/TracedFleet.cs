using System.Globalization;
using System.Net;
using Lab.Testing;

namespace Lab.EndToEnd.Cluster;

/// <summary>An orchestrator and its workers as processes that send telemetry somewhere, or nowhere.</summary>
internal sealed class TracedFleet(Uri? receiver) : IAsyncDisposable
{
    private readonly List<LabService> _workers = [];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("lab-traced-");
    private LabService? _orchestrator;

    public async Task StartAsync(int workers, CancellationToken cancellationToken)
    {
        var ports = FreePorts.Take(workers + 1);
        for (var i = 0; i < workers; i++) _workers.Add(new("Worker", ports[i], Settings($"worker-{i + 1}")));
        await Task.WhenAll(_workers.Select(worker => worker.StartAsync(_client, cancellationToken)));
        var settings = Settings("orchestrator");
        settings["Jobs__Path"] = Path.Combine(_state.FullName, "jobs.db");
        for (var i = 0; i < workers; i++) settings[$"Workers__worker-{i + 1}"] = _workers[i].Address.ToString();
        _orchestrator = new("Orchestrator", ports[workers], settings);
        await _orchestrator.StartAsync(_client, cancellationToken);
        await UntilAsync(async () => (await _client.GetStringAsync(new Uri(_orchestrator.Address, "/workers"), cancellationToken)).Split("\"free\"").Length == workers + 1,
            $"{workers} free workers");
    }

    /// <summary>Sends one text.</summary>
    public async Task<HttpStatusCode> AskAsync(string text, CancellationToken cancellationToken, string? traceparent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_orchestrator!.Address, "/new_request")) { Content = new StringContent(text) };
        if (traceparent is not null) request.Headers.Add("traceparent", traceparent);
        using var response = await _client.SendAsync(request, cancellationToken);
        return response.StatusCode;
    }

    public Task KillWorkerAsync(int index) => _workers[index].KillAsync();

    public Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => Task.FromResult(condition()), what);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        foreach (var service in _workers.Append(_orchestrator).OfType<LabService>()) await service.DisposeAsync();
        _state.Delete(recursive: true);
    }

    private Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.TrueAsync(condition, what, () => _orchestrator?.Output ?? "");

    private Dictionary<string, string> Settings(string name)
    {
        var settings = new Dictionary<string, string>
        {
            ["OTEL_SERVICE_NAME"] = name,
            ["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={name}-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver?.ToString() ?? "",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "200",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "1000",
        };
        return settings;
    }
}
