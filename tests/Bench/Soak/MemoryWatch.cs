using System.ComponentModel;
using System.Diagnostics;
using Lab.Bench.Cluster;
using Lab.Bench.Recording;

namespace Lab.Bench.Soak;

/// <summary>
/// Reads the working set of every process of a cluster while a load runs: the orchestrator's and the workers' from their own
/// <c>/metrics</c>, others from the operating system.
/// </summary>
/// <param name="cluster">The orchestrator.</param>
/// <param name="http">Asks workers.</param>
/// <param name="others">Further processes of this machine: name and process id.</param>
/// <param name="every">How often.</param>
/// <param name="time">The clock.</param>
internal sealed class MemoryWatch(ClusterClient cluster, HttpClient http, IReadOnlyList<(string Name, int Id)> others, TimeSpan every, TimeProvider time)
{
    /// <summary>What the services call it (OpenTelemetry's <c>dotnet.process.memory.working_set</c>), in bytes.</summary>
    public const string Metric = "dotnet_process_memory_working_set_bytes";

    private const double Megabyte = 1e6;

    private readonly Dictionary<string, List<MemoryPoint>> _points = [];
    private readonly HashSet<string> _last = [];
    private List<(string Name, ProcessKind Kind, Func<CancellationToken, Task<double?>> Read)> _processes = [];

    /// <summary>Finds out whom to watch.</summary>
    public async Task FindAsync(CancellationToken cancellation)
    {
        var workers = await cluster.GetWorkersAsync(cancellation);
        _processes =
        [
            ("orchestrator", ProcessKind.Orchestrator, cluster.GetMemoryAsync),
            .. workers.OrderBy(worker => worker.Key, WorkerNames.InOrder).Select(worker =>
                (worker.Key, ProcessKind.Worker, (Func<CancellationToken, Task<double?>>)(token => WorkerAsync(new UriBuilder("http", worker.Value.Ip, worker.Value.Port, "/metrics").Uri, token)))),
            .. others.Select(other => (other.Name, ProcessKind.Other, (Func<CancellationToken, Task<double?>>)(_ => Task.FromResult(OfProcess(other.Id))))),
        ];
    }

    /// <summary>Watches until the load has ended, and reads once more then.</summary>
    /// <param name="begun">Clock reading of the load's beginning.</param>
    /// <param name="ended">Cancelled when the load has ended.</param>
    public async Task RunAsync(long begun, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            await ReadAsync(begun);
            await Task.Delay(every, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ReadAsync(begun);
    }

    /// <summary>What was read.</summary>
    public SoakResult Result() => new(
        [.. _processes.Where(process => _points.ContainsKey(process.Name)).Select(process => new ProcessMemory(process.Name, process.Kind, _points[process.Name], !_last.Contains(process.Name)))],
        [.. _processes.Select(process => process.Name).Where(name => !_points.ContainsKey(name))]);

    private async Task ReadAsync(long begun)
    {
        _last.Clear();
        var readings = await Task.WhenAll(_processes.Select(async process => (process.Name, Bytes: await process.Read(CancellationToken.None))));
        var seconds = Math.Round(time.GetElapsedTime(begun).TotalSeconds, 1);
        foreach (var (name, bytes) in readings)
        {
            if (bytes is not { } there) continue;
            if (!_points.TryGetValue(name, out var points)) _points.Add(name, points = []);
            if (points.Count == 0 || points[^1].Seconds < seconds) points.Add(new(seconds, Math.Round(there / Megabyte, 2)));
            _last.Add(name);
        }
    }

    private async Task<double?> WorkerAsync(Uri metrics, CancellationToken cancellation)
    {
        try
        {
            return new MetricsText(await http.GetStringAsync(metrics, cancellation)).Find(Metric);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    private static double? OfProcess(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.HasExited ? null : process.WorkingSet64;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
