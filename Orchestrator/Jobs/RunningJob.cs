using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Jobs;

/// <summary>A job that is with the dispatcher, or whose end is being written.</summary>
internal sealed class RunningJob(QueueEntry entry, CancellationTokenSource hungUp) : IDisposable
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public QueueEntry Entry => entry;

    /// <summary>Nothing more happens to the job here.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Nobody is interested in the answer any more.</summary>
    public void HangUp()
    {
        try
        {
            hungUp.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended in the meantime.
        }
    }

    public void Dispose() => _ended.TrySetResult();
}
