namespace Lab.Orchestrator.Dispatch;

/// <content>Which worker takes which entries.</content>
internal sealed partial class DispatchState
{
    private int _mostQueued;

    /// <summary>The most entries that have waited at once since this was asked last.</summary>
    public int TakeMostQueued()
    {
        var most = _mostQueued;
        _mostQueued = _queue.Count;
        return most;
    }

    private void Pump()
    {
        if (_queue.Head is not null) Workers.EndTurns();
        for (var entry = _queue.Head; entry is not null && Workers.LongestIdle is not null;)
        {
            var next = entry.Next;
            if (WorkerFor(entry) is { } worker) next = Send(worker, entry);
            entry = next;
        }

        // Who found a free worker has not waited.
        _mostQueued = Math.Max(_mostQueued, _queue.Count);
        metrics.Depth(_queue.Count, Workers.BusyCount);
    }

    private WorkerNode? WorkerFor(QueueEntry entry)
    {
        if (!entry.IsChoosy) return Workers.LongestIdle;
        // In a fleet with no other worker alive, the one it failed on and that has recovered is better than none.
        return Workers.LongestIdleFor(entry) ?? (HasOther(entry) ? Workers.LeftToOthersFor(entry) : Workers.LongestIdle);
    }

    /// <summary>Whether a worker is alive that has neither failed with an entry nor refused it.</summary>
    private bool HasOther(QueueEntry entry) =>
        Workers.AliveCount > entry.FailedOn.Count(worker => worker.IsAlive)
            + (entry.RefusedBy is { IsAlive: true } refuser && !entry.FailedOn.Contains(refuser) ? 1 : 0);

    /// <summary>Sends an entry off, with others behind it where there is a backlog.</summary>
    /// <returns>The entry to look at next.</returns>
    private QueueEntry? Send(WorkerNode worker, QueueEntry first)
    {
        var now = time.GetTimestamp();
        var limit = BatchLimit(worker, first);
        var entries = new List<QueueEntry>(limit);
        var budget = options.MaxBatchTokens;
        QueueEntry? next = first;
        while (next is { } entry && entries.Count < limit && (entries.Count == 0 || CanJoin(entry, budget)))
        {
            next = entry.Next;
            budget -= entry.EstimatedTokens;
            _queue.Remove(entry);
            entry.State = EntryState.Running;
            entry.Attempts++;
            entry.LastWorker = worker.Name;
            entry.Waited = time.GetElapsedTime(entry.AcceptedAt, now);
            metrics.Waited(entry.Waited);
            entries.Add(entry);
        }

        var call = new DispatchCall(++_calls, worker, entries, now, Workers.OutputOf(worker));
        NextDue = Math.Min(NextDue, now + Workers.Ticks(options.DispatchTimeout));
        Workers.Occupy(worker, call);
        metrics.Dispatched(entries.Count);
        foreach (var entry in entries)
            DispatchLog.Dispatched(logger, call.Number, entry.Id, entry.Arrival, worker.Name, entry.Attempts);
        effects.Send(call);
        return next;
    }

    // The backlog is shared out among the workers that will work it off, which are not all where other orchestrators use
    // them too: a batch that leaves the next worker to become free without work answers nobody sooner.
    // A worker back from quarantine shows with one text, then with two, that it is well.
    private int BatchLimit(WorkerNode worker, QueueEntry first) =>
        first.Alone ? 1
        : Math.Clamp((int)Math.Ceiling(_queue.Count / Workers.ExpectedCount), 1, Math.Min(options.MaxBatch, worker.BatchLimit));

    // Only what stands next in the queue may join: who has failed before goes alone, and nobody is overtaken.
    private static bool CanJoin(QueueEntry entry, int budget) => !entry.Alone && entry.EstimatedTokens <= budget;
}
