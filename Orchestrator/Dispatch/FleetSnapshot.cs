namespace Lab.Orchestrator.Dispatch;

/// <summary>The dispatcher's state at one moment, as somebody who watches it wants to see it.</summary>
/// <param name="At">Clock reading of the moment.</param>
/// <param name="Queued">Requests waiting.</param>
/// <param name="MostQueued">The most requests that have waited at once since the snapshot before.</param>
/// <param name="Totals">What the requests so far come to.</param>
/// <param name="Workers">The workers in the order in which they were configured, at most <see cref="MaxWorkers"/>.</param>
/// <param name="WorkerCount">How many workers there are.</param>
/// <param name="Latest">The last requests, the newest first; <c>null</c> if none has ended since the number that was asked about.</param>
internal sealed record FleetSnapshot(
    long At, int Queued, int MostQueued, RequestTotals Totals, IReadOnlyList<WorkerSnapshot> Workers, int WorkerCount, EndedRequest[]? Latest)
{
    /// <summary>How many workers are described: beyond that nobody reads, and the dispatcher has better things to do.</summary>
    public const int MaxWorkers = 200;

    /// <summary>Takes one; to be called by the dispatcher's loop.</summary>
    /// <param name="state">The dispatcher's state.</param>
    /// <param name="time">The clock.</param>
    /// <param name="seen">The number of the last request that the asker has seen.</param>
    public static FleetSnapshot Of(DispatchState state, TimeProvider time, long seen)
    {
        var now = time.GetTimestamp();
        var totals = state.Requests.Totals();
        return new(
            now,
            state.Queued,
            state.TakeMostQueued(),
            totals,
            [.. state.Workers.All.Take(MaxWorkers).Select(worker => WorkerSnapshot.Of(worker, time, now))],
            state.Workers.All.Count,
            totals.Ended == seen ? null : state.Requests.Latest());
    }
}

/// <summary>One worker at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Host">The machine it runs on, as its address has it.</param>
/// <param name="Port">Its port.</param>
/// <param name="Status">The word of <c>GET /workers</c> for its state.</param>
/// <param name="Completed">Texts it has answered.</param>
/// <param name="Failed">Dispatches that failed at it.</param>
/// <param name="LastError">Why it is quarantined, else <c>null</c>.</param>
/// <param name="Texts">How many texts it computes now; 0 when idle.</param>
/// <param name="Text">The first of them, shortened.</param>
/// <param name="ComputingMs">For how long it has been computing, in milliseconds.</param>
/// <param name="InferenceMs">Its times for its last dispatches, in milliseconds, in no particular order.</param>
/// <param name="Draining">Whether somebody has drained it, be it well or not.</param>
/// <param name="Reason">Why it drains, where it is the worker that has said so.</param>
internal sealed record WorkerSnapshot(
    string Name,
    string Host,
    int Port,
    string Status,
    long Completed,
    long Failed,
    string? LastError,
    int Texts,
    string? Text,
    double ComputingMs,
    float[] InferenceMs,
    bool Draining,
    string? Reason = null)
{
    public static WorkerSnapshot Of(WorkerNode node, TimeProvider time, long now)
    {
        var call = node.Current;
        return new(
            node.Name,
            node.Address.Host,
            node.Address.Port,
            node.Status,
            node.Completed,
            node.Failed,
            node.Quarantined ? node.LastError : null,
            call?.Entries.Count ?? 0,
            call is null ? null : RequestRecorder.Beginning(call.Entries[0]),
            call is null ? 0 : time.GetElapsedTime(call.StartedAt, now).TotalMilliseconds,
            node.RecentInference.ToArray(),
            node.Draining,
            node.Reason);
    }
}
