using System.Threading.Channels;

namespace Lab.Orchestrator.Jobs;

/// <summary>
/// One writer that takes whatever has come together while it was busy and commits it in one go: many who wait for
/// the disk share one wait.
/// </summary>
/// <typeparam name="TItem">What is to be written.</typeparam>
/// <typeparam name="TResult">What the writing of one item gives.</typeparam>
internal sealed class GroupCommit<TItem, TResult> : IAsyncDisposable
{
    private readonly Channel<Waiting> _waiting = Channel.CreateUnbounded<Waiting>(new() { SingleReader = true });
    private readonly Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> _commit;
    private readonly int _maxGroupSize;
    private readonly Task _loop;
    private long _commits;

    /// <summary>Starts the writer.</summary>
    /// <param name="maxGroupSize">How many items one commit may carry.</param>
    /// <param name="commit">
    /// Writes the items, all or none, and gives one result for each. Where it fails for a reason of one item
    /// (<see cref="JobStoreException.IsOfOneWrite"/>) each is written by itself.
    /// </param>
    public GroupCommit(int maxGroupSize, Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> commit)
    {
        _maxGroupSize = maxGroupSize;
        _commit = commit;
        // A thread of its own: it blocks on the disk, and the pool is small on a small machine.
        _loop = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>How many groups have been committed.</summary>
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>Hands an item in and waits for the commit that carries it.</summary>
    /// <exception cref="JobStoreException">The commit failed, or the writer has ended.</exception>
    public Task<TResult> AddAsync(TItem item)
    {
        var waiting = new Waiting(item);
        if (!_waiting.Writer.TryWrite(waiting)) throw new JobStoreException("The store has been closed.");
        return waiting.Done.Task;
    }

    /// <summary>Commits what has been handed in, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop;
    }

    private void Run()
    {
        var group = new List<Waiting>(_maxGroupSize);
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            group.Clear();
            while (group.Count < _maxGroupSize && _waiting.Reader.TryRead(out var next)) group.Add(next);
            Commit(group);
        }
    }

    private void Commit(List<Waiting> group)
    {
        if (TryCommit(group) is not { } reason) return;
        // Whatever one of them has done, it is not the others' fault. A store that is away is so for each.
        for (var i = 0; i < group.Count; i++)
        {
            if (group.Count > 1 && IsOfOne(reason)) reason = TryCommit([group[i]]) ?? reason;
            group[i].Done.TrySetException(reason);
        }
    }

    /// <summary>Commits a group, or says why not.</summary>
    private Exception? TryCommit(List<Waiting> group)
    {
        try
        {
            var results = _commit([.. group.Select(waiting => waiting.Item)]).GetAwaiter().GetResult();
            Interlocked.Increment(ref _commits);
            for (var i = 0; i < group.Count; i++) group[i].Done.TrySetResult(results[i]);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static bool IsOfOne(Exception reason) => reason is not JobStoreException { IsOfOneWrite: false };

    private sealed record Waiting(TItem Item)
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
