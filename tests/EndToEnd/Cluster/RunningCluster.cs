using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace Lab.EndToEnd.Cluster;

/// <summary>AppHost as a user starts it, in a process of its own, with everything it starts.</summary>
internal sealed class RunningCluster : LabCluster
{
    private readonly Process _process;
    private readonly DirectoryInfo _state;
    private readonly ConcurrentQueue<string> _output = new();

    private RunningCluster(Process process, MarkedProcesses processes, int port, DirectoryInfo state)
    {
        (_process, Processes, _state) = (process, processes, state);
        Client = new() { BaseAddress = new(string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}")), Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <inheritdoc/>
    public override HttpClient Client { get; }

    public MarkedProcesses Processes { get; }

    public int Pid => _process.Id;

    /// <inheritdoc/>
    public override string Output => string.Join('\n', _output);

    public static async Task<RunningCluster> StartAsync(int workers, IReadOnlyDictionary<string, string>? environment = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "these tests find their processes in /proc: Linux only");
        var processes = new MarkedProcesses();
        var state = Directory.CreateTempSubdirectory("lab-test-");
        var ports = FreePorts.Take(4).ConvertAll(port => port.ToString(CultureInfo.InvariantCulture));
        // Whoever runs the tests may do so where SIGINT is ignored, which children inherit.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Metadata("AppHost"), $"--WorkerCount={workers}", $"--OrchestratorPort={ports[0]}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Metadata("AppHostDirectory"),
        };
        start.Environment[MarkedProcesses.Variable] = processes.Mark;
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        // Whoever runs the tests may have a dashboard, and jobs, of his own.
        start.Environment["ASPNETCORE_URLS"] = $"http://localhost:{ports[1]}";
        start.Environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{ports[2]}";
        start.Environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{ports[3]}";
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["XDG_STATE_HOME"] = state.FullName;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var cluster = new RunningCluster(process, processes, int.Parse(ports[0], CultureInfo.InvariantCulture), state);
        process.OutputDataReceived += (_, line) => cluster.Remember(line.Data);
        process.ErrorDataReceived += (_, line) => cluster.Remember(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
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

    /// <summary>Waits until AppHost itself has ended, within half a minute.</summary>
    public async Task UntilEndedAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        await _process.WaitForExitAsync(limit.Token);
    }

    /// <summary>Waits until no process of the run is left, within half a minute.</summary>
    public async Task UntilNothingIsLeftAsync()
    {
        var watch = Stopwatch.StartNew();
        while (Processes.All() is { Count: > 0 } left)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"still running: {string.Join(", ", left)}\n{Output}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <inheritdoc/>
    protected override void CheckAlive() => Assert.False(_process.HasExited, $"AppHost has ended:\n{Output}");

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            MarkedProcesses.Signal(_process.Id, MarkedProcesses.Terminate);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Processes.KillAll();
        Client.Dispose();
        _process.Dispose();
        _state.Delete(recursive: true);
    }

    private static string Metadata(string key) => Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    private void Remember(string? line)
    {
        if (line is not null) _output.Enqueue(line);
    }
}
