using System.Collections.Concurrent;

namespace Lab.Orchestrator.Jobs;

/// <summary>Waits for a job's end, for the client that asked to be kept a while.</summary>
internal sealed class JobSignals : IDisposable
{
    // A job that another process finishes on the same file gives no signal here.
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _waiting = new();
    private readonly IJobStore _store;
    private readonly TimeProvider _time;

    public JobSignals(IJobStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        _store.Signaled += OnSignal;
    }

    /// <summary>The job once it has finished or the time is over, as it then is; <c>null</c> when it is gone.</summary>
    public async Task<Job?> WaitAsync(string owner, Guid id, TimeSpan time, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        while (true)
        {
            // Listening before looking, so that an end in between is heard.
            var signal = _waiting.GetOrAdd(id, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
            try
            {
                var job = await _store.FindAsync(owner, id, cancellationToken);
                var left = time - _time.GetElapsedTime(start);
                if (job is null or { FinishedAt: not null } || left <= TimeSpan.Zero) return job;
                await signal.Task.WaitAsync(left < PollInterval ? left : PollInterval, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // Then it is looked at again.
            }
            finally
            {
                Wake(id);
            }
        }
    }

    public void Dispose() => _store.Signaled -= OnSignal;

    private void OnSignal(JobSignal signal)
    {
        if (signal.Kind is JobSignalKind.Queued) return;
        foreach (var id in signal.Ids) Wake(id);
    }

    // Whoever else waits for the same job looks again and listens anew.
    private void Wake(Guid id)
    {
        if (_waiting.TryRemove(id, out var signal)) signal.TrySetResult();
    }
}
