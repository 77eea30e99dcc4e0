using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Reflection;
using Lab.ServiceDefaults.Contracts;

namespace Lab.EndToEnd.Cluster;

/// <summary>AppHost as a user starts it, in a process of its own, with everything it starts.</summary>
internal sealed class RunningCluster : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _state;
    private readonly ConcurrentQueue<string> _output = new();

    private RunningCluster(Process process, MarkedProcesses processes, int port, string state)
    {
        _state = state;
        _process = process;
        Processes = processes;
        Client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            BaseAddress = new($"http://localhost:{port}"),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    public HttpClient Client { get; }

    public MarkedProcesses Processes { get; }

    public int Pid => _process.Id;

    public string Output => string.Join('\n', _output);

    public static async Task<RunningCluster> StartAsync(int workers, IReadOnlyDictionary<string, string>? environment = null)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "these tests find their processes in /proc: Linux only");
        var processes = new MarkedProcesses();
        var port = FreePorts.Take(1)[0];
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Metadata("AppHostDirectory"),
            ArgumentList = { Metadata("AppHost"), $"--WorkerCount={workers}", $"--OrchestratorPort={port.ToString(CultureInfo.InvariantCulture)}" },
        };
        start.Environment[MarkedProcesses.Variable] = processes.Mark;
        // Whoever runs the tests may have a dashboard, and jobs, of his own.
        start.Environment["ASPNETCORE_URLS"] = "http://localhost:0";
        start.Environment["XDG_STATE_HOME"] = Directory.CreateTempSubdirectory("lab-test-").FullName;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var process = Process.Start(start)!;
        var cluster = new RunningCluster(process, processes, port, start.Environment["XDG_STATE_HOME"]!);
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

    /// <summary>Waits until all workers are free.</summary>
    public Task UntilFreeAsync(int workers) => UntilAsync(
        async () => (await GetWorkersAsync()).Values.Count(worker => worker.Status == "free") == workers,
        $"{workers} free workers");

    /// <summary>Waits for something that comes by itself, within a minute.</summary>
    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await condition()) return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            Assert.False(_process.HasExited, $"AppHost has ended while the test waited for {what}:\n{Output}");
            Assert.True(watch.Elapsed < StartLimit, $"still no {what} after {StartLimit}:\n{Output}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async Task<Dictionary<string, WorkerStatus>> GetWorkersAsync() =>
        (await Client.GetFromJsonAsync<Dictionary<string, WorkerStatus>>("/workers", WireJson.Relaxed.Options, TestContext.Current.CancellationToken))!;

    public async Task<RequestAnswer> AskAsync(string text)
    {
        using var response = await Client.PostAsJsonAsync("/new_request", new { text }, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {body}\n{Output}");
        return System.Text.Json.JsonSerializer.Deserialize(body, WireJson.Relaxed.RequestAnswer)!;
    }

    /// <summary>Where LocalHost's dashboard is, once it has said so.</summary>
    public async Task<Uri> GetDashboardAsync()
    {
        const string Line = "Dashboard: ";
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

    public async ValueTask DisposeAsync()
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
        Directory.Delete(_state, recursive: true);
    }

    private static string Metadata(string key) => Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    private void Remember(string? line)
    {
        if (line is not null) _output.Enqueue(line);
    }
}
