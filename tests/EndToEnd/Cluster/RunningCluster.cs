using System.Globalization;
using System.Reflection;
using Lab.Testing;

namespace Lab.EndToEnd.Cluster;

/// <summary>AppHost as a user starts it, in a process of its own, with everything it starts.</summary>
internal sealed class RunningCluster : LabCluster
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);
    private readonly ChildProcess _process;
    private readonly DirectoryInfo _state;

    private RunningCluster(ChildProcess process, MarkedProcesses processes, int port, DirectoryInfo state)
    {
        (_process, Processes, _state) = (process, processes, state);
        Client = new() { BaseAddress = new(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}")), Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <inheritdoc/>
    public override HttpClient Client { get; }

    public MarkedProcesses Processes { get; }

    /// <inheritdoc/>
    public override string Output => _process.Output;

    public static async Task<RunningCluster> StartAsync(int workers, IReadOnlyDictionary<string, string>? environment = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "these tests find their processes in /proc: Linux only");
        var processes = new MarkedProcesses();
        var state = Directory.CreateTempSubdirectory("lab-test-");
        var ports = FreePorts.Take(4).Select(port => port.ToString(CultureInfo.InvariantCulture)).ToList();
        var variables = new Dictionary<string, string?>
        {
            [MarkedProcesses.Variable] = processes.Mark,
            ["DOTNET_ENVIRONMENT"] = "Development",
            // Whoever runs the tests may have a dashboard, and jobs, of his own.
            ["ASPNETCORE_URLS"] = $"http://localhost:{ports[1]}",
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{ports[2]}",
            ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{ports[3]}",
            ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
            ["XDG_STATE_HOME"] = state.FullName,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) variables[name] = value;
        var process = ChildProcess.Start("dotnet", [Metadata("AppHost"), $"--WorkerCount={workers}", $"--OrchestratorPort={ports[0]}"], variables, Metadata("AppHostDirectory"));
        var cluster = new RunningCluster(process, processes, int.Parse(ports[0], CultureInfo.InvariantCulture), state);
        try
        {
            await cluster.UntilFreeAsync(workers);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }

        return cluster;
    }

    /// <summary>Where the dashboard lets its reader in, once AppHost has said so.</summary>
    public async Task<Uri> GetDashboardAsync()
    {
        const string Line = "Login to the dashboard at ";
        await UntilAsync(() => Task.FromResult(Output.Contains(Line, StringComparison.Ordinal)), "dashboard");
        return new(Output[(Output.LastIndexOf(Line, StringComparison.Ordinal) + Line.Length)..].Split('\n')[0].Trim());
    }

    /// <summary>Sends AppHost itself a signal.</summary>
    public void Signal(int signal) => _process.Signal(signal);

    /// <summary>Waits until AppHost itself has ended, within half a minute.</summary>
    public Task UntilEndedAsync() => _process.WaitForExitAsync(EndLimit);

    /// <summary>Waits until no process of the run is left, within half a minute.</summary>
    public Task UntilNothingIsLeftAsync() => Eventually.TrueAsync(
        () => Processes.All().Count == 0, "nothing is left", () => $"{string.Join(", ", Processes.All())}\n{Output}", EndLimit);

    /// <inheritdoc/>
    protected override void CheckAlive() => Assert.False(_process.HasExited, $"AppHost has ended:\n{Output}");

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Signal(ChildProcess.Terminate);
            await _process.WaitForExitAsync(EndLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Processes.KillAll();
        Client.Dispose();
        await _process.DisposeAsync();
        _state.Delete(recursive: true);
    }

    private static string Metadata(string key) => Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
