using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Lab.Browser.Browsing;
using Lab.EndToEnd.Cluster;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;

namespace Lab.Browser.ClusterPage;

/// <summary>A browser before real workers and an orchestrator, each a process of its own that a test may kill.</summary>
public sealed class PageFleet : IAsyncLifetime
{
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly List<LabService> _workers = [];
    private readonly List<LabService> _orchestrators = [];
    private readonly BrowserFixture _browser = new();
    private DirectoryInfo? _state;

    internal const int WorkerCount = 4;

    internal IReadOnlyList<LabService> Workers => _workers;

    /// <summary>The orchestrator without keys.</summary>
    internal LabService Orchestrator => _orchestrators[0];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (BrowserFixture.Chromium is null) return;
        _state = Directory.CreateTempSubdirectory("lab-page-");
        await _browser.InitializeAsync();
        foreach (var port in FreePorts.Take(WorkerCount)) _workers.Add(new("Worker", port, new Dictionary<string, string>()));
        await Task.WhenAll(_workers.Select(StartAsync));
        await AddOrchestratorAsync([]);
    }

    internal Task StartAsync(LabService service) => service.StartAsync(_client, Cancellation);

    /// <summary>Starts an orchestrator before the same workers.</summary>
    /// <param name="settings">Its settings beside the workers' addresses.</param>
    internal async Task<LabService> AddOrchestratorAsync(Dictionary<string, string> settings)
    {
        BrowserFixture.SkipWithoutChromium();
        var environment = new Dictionary<string, string>(settings) { ["XDG_STATE_HOME"] = _state!.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName };
        for (var i = 0; i < _workers.Count; i++) environment[$"Workers__{NameOf(i)}"] = AddressOf(i).ToString();
        var orchestrator = new LabService("Orchestrator", FreePorts.Take(), environment);
        _orchestrators.Add(orchestrator);
        await StartAsync(orchestrator);
        return orchestrator;
    }

    /// <summary>Opens the page of an orchestrator, by default the one without keys.</summary>
    internal async Task<Tab> OpenAsync(View? view = null, LabService? orchestrator = null)
    {
        BrowserFixture.SkipWithoutChromium();
        var tab = await _browser.OpenAsync((orchestrator ?? Orchestrator).Address, view);
        await tab.Page.GotoAsync("/");
        return tab;
    }

    /// <summary>Opens a page at an address of its own, such as a proxy's.</summary>
    internal async Task<Tab> OpenAtAsync(Uri address)
    {
        BrowserFixture.SkipWithoutChromium();
        var tab = await _browser.OpenAsync(address);
        await tab.Page.GotoAsync(address.ToString());
        return tab;
    }

    /// <summary>Asks the API for an answer.</summary>
    internal async Task<HttpStatusCode> AskAsync(string text)
    {
        using var response = await _client.PostAsJsonAsync(new Uri(Orchestrator.Address, "/new_request"), new { text }, Cancellation);
        return response.StatusCode;
    }

    /// <summary>Waits until so many workers are free.</summary>
    internal Task UntilFreeAsync(int workers = WorkerCount)
    {
        BrowserFixture.SkipWithoutChromium();
        var table = new Uri(Orchestrator.Address, "/workers");
        return Eventually.TrueAsync(
            async () => (await _client.GetFromJsonAsync<Dictionary<string, WorkerStatus>>(table, WireJson.Relaxed.Options, Cancellation))!
                .Values.Count(worker => worker.Status == "free") == workers,
            $"{workers} free workers", () => Orchestrator.Output);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        foreach (var service in _orchestrators.Concat(_workers)) await service.DisposeAsync();
        _client.Dispose();
        _state?.Delete(recursive: true);
    }

    // Two hosts as far as the page can tell.
    private Uri AddressOf(int worker) =>
        worker < WorkerCount / 2 ? _workers[worker].Address : new UriBuilder(_workers[worker].Address) { Host = "localhost" }.Uri;

    /// <summary>A worker's name by its place.</summary>
    internal static string NameOf(int worker) => string.Create(CultureInfo.InvariantCulture, $"worker-{worker + 1}");
}
