using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Workers;

/// <summary>Gives the dispatcher its list of workers, and again whenever the file that lists them changes.</summary>
internal sealed class WorkerListWatch(
    IOptions<OrchestratorOptions> options,
    IConfiguration configuration,
    Dispatcher dispatcher,
    TimeProvider time,
    ILogger<WorkerListWatch> logger) : BackgroundService
{
    // Asking is dependable where notices are not: bind mounts, network file systems, renames over the file.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Reads the list once, so that a wrong one keeps the orchestrator from starting.</summary>
    /// <exception cref="WorkerAddressException">The list is wrong.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var workers = Read(options.Value.WorkersFile);
        if (workers.Count == 0) WorkersLog.NoneConfigured(logger);
        dispatcher.SetWorkers(workers);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.WorkersFile is not { } path) return;
        var seen = Stamp(path);
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var stamp = Stamp(path);
            if (stamp == seen) continue;
            seen = stamp;
            try
            {
                dispatcher.SetWorkers(WorkerAddresses.FromFile(path));
            }
            catch (WorkerAddressException e)
            {
                WorkersLog.ListUnreadable(logger, e.Message);
            }
        }
    }

    private IReadOnlyDictionary<string, Uri> Read(string? path)
    {
        try
        {
            return path is null ? WorkerAddresses.FromConfiguration(configuration) : WorkerAddresses.FromFile(path);
        }
        catch (WorkerAddressException e)
        {
            throw new WorkerAddressException($"{(path is null ? "Workers" : $"{OrchestratorOptions.Section}:{nameof(OrchestratorOptions.WorkersFile)}")}: {e.Message}", e);
        }
    }

    private static (DateTime Written, long Length) Stamp(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }
}
