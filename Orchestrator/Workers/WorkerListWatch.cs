using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Access;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Workers;

/// <summary>Gives the dispatcher its list of workers, and again whenever the file that lists them changes.</summary>
internal sealed class WorkerListWatch(
    IOptions<OrchestratorOptions> options,
    IConfiguration configuration,
    Dispatcher dispatcher,
    TimeProvider time,
    ILogger<WorkerListWatch> logger) : IHostedService, IDisposable
{
    private FileWatch<FileContent>? _watch;

    /// <summary>Reads the list once, so that a wrong one keeps the orchestrator from starting.</summary>
    /// <exception cref="WorkerAddressException">The list is wrong.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var setting = options.Value.WorkersFile is null ? "Workers" : $"{OrchestratorOptions.Section}:{nameof(OrchestratorOptions.WorkersFile)}";
        IReadOnlyDictionary<string, Uri> workers;
        try
        {
            workers = Begin();
        }
        catch (WorkerAddressException e)
        {
            throw new WorkerAddressException($"{setting}: {e.Message}", e);
        }

        if (workers.Count == 0) WorkersLog.NoneConfigured(logger);
        dispatcher.SetWorkers(workers);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _watch?.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _watch?.Dispose();

    private IReadOnlyDictionary<string, Uri> Begin()
    {
        if (options.Value.WorkersFile is not { } path) return WorkerAddresses.FromConfiguration(configuration);
        var content = Read();
        var workers = WorkerAddresses.FromContent(path, content);
        _watch = new(content, Read, now => Follow(path, now), time);
        return workers;

        FileContent Read() => FileContent.Read(path, WorkerAddresses.MaxFileBytes);
    }

    private void Follow(string path, FileContent content)
    {
        try
        {
            dispatcher.SetWorkers(WorkerAddresses.FromContent(path, content));
        }
        catch (WorkerAddressException e)
        {
            WorkersLog.ListUnreadable(logger, e.Message);
        }
    }
}
