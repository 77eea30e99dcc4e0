using System.Net.Http.Json;
using System.Text;
using Lab.AppHost.LocalHost;
using Lab.AppHost.LocalHost.Dashboard;

namespace Lab.AppHost.Tests.LocalHost;

/// <summary>A cluster in this process, of real service processes, with its output at hand and everything stopped in the end.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private static readonly HttpClient Client = new();

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();
    private readonly StringBuilder _output = new();
    private readonly Lock _gate = new();
    private Cluster? _cluster;
    private Task<int>? _run;

    public Timing Timing { get; init; } = new() { FirstBackoff = TimeSpan.FromMilliseconds(50) };

    public List<ProjectResource> Resources { get; } = [];

    public DashboardSettings? Dashboard { get; init; }

    public string Output
    {
        get
        {
            lock (_gate)
                return _output.ToString();
        }
    }

    public ProjectResource Add(string name, string behaviour = "", int? port = null)
    {
        var resource = new ProjectResource(name, new TestService()) { Endpoint = new HttpEndpoint(port), HealthPath = "/health" };
        resource.Environment[TestService.Variable] = behaviour;
        Resources.Add(resource);
        return resource;
    }

    public ResourceRunner Runner(string name) => _cluster!.Runners.Single(runner => runner.Resource.Name == name);

    public Task BecomesAsync(string name, ResourceState state)
        => Eventually.TrueAsync(() => Runner(name).Status.State == state, () => $"{name} {state}, but {Runner(name).Status}\n{Output}");

    public Task<int> Start()
    {
        var output = new Output(new Writer(this), colour: false, Resources.Select(resource => resource.Name));
        _cluster = new Cluster(Resources, development: true, Dashboard, output, Timing, TimeProvider.System);
        return _run = _cluster.RunAsync(_stop.Token, _hurry.Token);
    }

    public Task SaysAsync(string text) => Eventually.TrueAsync(() => Output.Contains(text, StringComparison.Ordinal), () => $"'{text}' in\n{Output}");

    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await _run!.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public static async Task<T> GetAsync<T>(ProjectResource resource, string path)
        => (await Client.GetFromJsonAsync<T>(resource.Endpoint!.Url + path, TestContext.Current.CancellationToken))!;

    public async ValueTask DisposeAsync()
    {
        await _hurry.CancelAsync();
        if (_run is not null)
            await StopAsync();
        _stop.Dispose();
        _hurry.Dispose();
    }

    private sealed class Writer(TestCluster owner) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (owner._gate)
                owner._output.Append(value);
        }

        public override void WriteLine(string? value)
        {
            lock (owner._gate)
                owner._output.AppendLine(value);
        }
    }
}
