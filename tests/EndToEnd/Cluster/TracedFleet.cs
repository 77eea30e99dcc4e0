using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Lab.EndToEnd.Cluster;

/// <summary>An orchestrator and its workers as processes that send telemetry somewhere, or nowhere.</summary>
internal sealed class TracedFleet(Uri? receiver) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly List<LabService> _workers = [];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("lab-traced-");
    private LabService? _orchestrator;

    public async Task StartAsync(int workers, CancellationToken cancellation)
    {
        var ports = FreePorts(workers + 1);
        for (var i = 0; i < workers; i++) _workers.Add(new("Worker", ports[i], Settings($"worker-{i + 1}")));
        await Task.WhenAll(_workers.Select(worker => worker.StartAsync(_client, cancellation)));
        var settings = Settings("orchestrator");
        settings["Jobs__Path"] = Path.Combine(_state.FullName, "jobs.db");
        for (var i = 0; i < workers; i++) settings[$"Workers__worker-{i + 1}"] = _workers[i].Address.ToString();
        _orchestrator = new("Orchestrator", ports[workers], settings);
        await _orchestrator.StartAsync(_client, cancellation);
        await UntilAsync(async () => (await _client.GetStringAsync(new Uri(_orchestrator.Address, "/workers"), cancellation)).Split("\"free\"").Length == workers + 1,
            $"{workers} free workers", cancellation);
    }

    /// <summary>Sends one text.</summary>
    public async Task<HttpStatusCode> AskAsync(string text, CancellationToken cancellation, string? traceparent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_orchestrator!.Address, "/new_request")) { Content = new StringContent(text) };
        if (traceparent is not null) request.Headers.Add("traceparent", traceparent);
        using var response = await _client.SendAsync(request, cancellation);
        return response.StatusCode;
    }

    public Task KillWorkerAsync(int index, CancellationToken cancellation) => _workers[index].KillAsync(cancellation);

    public Task UntilAsync(Func<bool> condition, string what, CancellationToken cancellation) => UntilAsync(() => Task.FromResult(condition()), what, cancellation);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        foreach (var service in _workers.Append(_orchestrator).OfType<LabService>()) await service.DisposeAsync();
        _state.Delete(recursive: true);
    }

    private async Task UntilAsync(Func<Task<bool>> condition, string what, CancellationToken cancellation)
    {
        for (var watch = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(watch.Elapsed < Limit, $"still no {what} after {Limit}:\n{_orchestrator?.Output}");
            await Task.Delay(50, cancellation);
        }
    }

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

    // All at once, so that no port is given twice.
    private static List<int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToList();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }
}
