using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// The dispatcher's whole state and every decision about it, without threads, sockets or timers: whoever owns it
/// calls one member at a time. A free worker takes the first entry in order of arrival that has not failed on it;
/// an entry whose worker failed returns to its place at the head; every entry ends exactly once.
/// </summary>
internal sealed partial class DispatchState(
    OrchestratorOptions options,
    TimeProvider time,
    Random jitter,
    IDispatchEffects effects,
    DispatchMetrics metrics,
    ILogger logger,
    Func<string, bool>? hasOther = null,
    string? id = null)
{
    /// <summary>How an entry ends that the orchestrator itself did not live to answer.</summary>
    public static readonly Outcome Stopped = new(OutcomeKind.Stopped, Detail: "The orchestrator is stopping.");

    /// <summary>So many texts a worker may refuse in a row that others answer, before it counts as broken.</summary>
    private const int MaxContradictedRefusals = 3;

    private readonly EntryQueue _queue = new();
    private readonly QueueRoom _room = new(options.QueueCapacity, options.QueueBytesOrDefault, hasOther ?? (_ => false));
    private readonly CompletionRate _completions = new(time);
    private long _arrivals;
    private long _calls;
    private long _queueDue = long.MaxValue;

    /// <summary>By what other orchestrators know this one.</summary>
    public string Id => Workers.Id;

    public WorkerTable Workers { get; } = new(options, time, jitter, logger, id ?? OrchestratorId.Create());

    /// <summary>The last requests, and what all of them come to.</summary>
    public RequestRecorder Requests { get; } = new(time);

    public int Queued => _queue.Count;

    /// <summary>Clock reading by which <see cref="Tick"/> must be called next.</summary>
    public long NextDue { get; private set; }

    /// <summary>Accepts an entry into the queue, or ends it at once.</summary>
    public void Submit(QueueEntry entry)
    {
        if (entry.State is EntryState.Done) return;
        if (!entry.Accepted && Refuse(1, entry.Size, entry.Owner) is { } refusal)
        {
            End(entry, refusal);
            return;
        }

        Enqueue(entry);
        Pump();
    }

    /// <summary>Accepts all of a client's batch, or ends all of it at once.</summary>
    public void Submit(IReadOnlyList<QueueEntry> entries)
    {
        var refusal = Refuse(entries.Count, entries.Sum(entry => entry.Size), entries[0].Owner);
        foreach (var entry in entries)
        {
            if (entry.State is EntryState.Done) continue;
            if (refusal is not null) End(entry, refusal);
            else Enqueue(entry);
        }

        Pump();
    }

    private Outcome? Refuse(int count, long size, string owner) =>
        Workers.AliveCount == 0 ? new(OutcomeKind.NoWorker, Detail: "No worker is alive.", RetryAfterSeconds: 1)
        : _queue.Count + count > options.QueueCapacity ? Full($"{_queue.Count} requests are waiting, and {options.QueueCapacity} may.")
        : !_room.HasRoom(count, size, owner, out var detail) ? Full(detail)
        : null;

    private Outcome Full(string detail) => new(OutcomeKind.QueueFull, Detail: detail, RetryAfterSeconds: RetryAfter());

    private void Enqueue(QueueEntry entry)
    {
        entry.Arrival = ++_arrivals;
        entry.AcceptedAt = time.GetTimestamp();
        if (entry.Timeout != Timeout.InfiniteTimeSpan) entry.DeadlineAt = entry.AcceptedAt + Workers.Ticks(entry.Timeout);
        _queueDue = Math.Min(_queueDue, entry.DeadlineAt);
        NextDue = Math.Min(NextDue, entry.DeadlineAt);
        _room.Take(entry);
        _queue.Add(entry);
    }

    /// <summary>The client no longer waits: a waiting entry leaves the queue, a running one's answer will be dropped.</summary>
    public void HangUp(QueueEntry entry)
    {
        if (entry.State is EntryState.Done) return;
        using var trace = DispatchTracing.Within(entry);
        DispatchLog.HungUp(logger, entry.Id, entry.State);
        Leave(entry, new(OutcomeKind.Canceled));
    }

    /// <summary>A worker has replied, or the call to it has failed.</summary>
    public void Reply(DispatchCall call, WorkerReply reply)
    {
        var worker = call.Worker;
        if (worker.Current != call) return;
        switch (reply)
        {
            case WorkerReply.Answered answered:
                var completed = answered.Texts.Count(text => text.Answer is not null);
                worker.Completed += completed;
                // Whoever only refuses has not shown that it is well.
                if (completed > 0)
                {
                    worker.ConsecutiveFailures = 0;
                    worker.ForgetContradictions();
                }

                worker.RecentInference.Add(answered.InferenceMs);
                if (worker.BatchLimit < options.MaxBatch) worker.BatchLimit *= 2;
                Workers.Answered(worker, answered.IsWanted, PresenceReport.BusyTime(answered.InferenceMs));
                if (worker.HeldUntil != 0) NextDue = Math.Min(NextDue, Workers.EndOfHold(worker));
                for (var i = 0; i < call.Entries.Count; i++) Answer(call, call.Entries[i], answered.Texts[i], answered.InferenceMs);
                break;
            case WorkerReply.Busy busy:
                Workers.Hold(worker, busy.For);
                NextDue = Math.Min(NextDue, worker.HeldUntil);
                DispatchLog.WorkerBusy(logger, call.Number, worker.Name);
                foreach (var entry in call.Entries)
                {
                    if (entry.State is EntryState.Running) entry.Attempts--;
                    Return(entry, "busy");
                }

                break;
            case WorkerReply.Failed failed:
                worker.Failed++;
                using (DispatchTracing.Within(call.Entries[0])) Workers.Quarantine(worker, failed.Reason);
                NextDue = Math.Min(NextDue, worker.NextProbeAt);
                foreach (var entry in call.Entries) Fail(call, entry, failed.Reason);
                break;
        }

        metrics.CallEnded(worker.Name, reply);
        Workers.Release(worker);
        Pump();
    }

    /// <summary>Takes over a new list of workers.</summary>
    public void SetWorkers(IReadOnlyDictionary<string, Uri> addresses)
    {
        Workers.Set(addresses);
        Tick();
    }

    /// <summary>Drains a worker or takes it back into service.</summary>
    /// <returns>Whether there is such a worker.</returns>
    public bool SetDraining(string name, bool draining)
    {
        if (Workers.Find(name) is not { Removed: false } worker) return false;
        WorkerTableLog.Draining(logger, name, draining);
        Workers.Change(worker, draining: draining);
        Pump();
        return true;
    }

    /// <summary>Ends an entry that comes after the end.</summary>
    public void Refuse(QueueEntry entry)
    {
        if (entry.State is not EntryState.Done) End(entry, Stopped);
    }

    /// <summary>Ends every entry that has not ended; for the orchestrator's own end.</summary>
    public void Stop()
    {
        while (_queue.Head is { } entry) Leave(entry, Stopped);
        foreach (var entry in Workers.All.SelectMany(worker => worker.Current?.Entries ?? []))
            if (entry.State is EntryState.Running) End(entry, Stopped);
    }

    private void Answer(DispatchCall call, QueueEntry entry, TextReply reply, double inferenceMs)
    {
        if (reply.Answer is not { } answer)
        {
            if (entry.State is EntryState.Running) Reject(call, entry, reply.Rejection);
            return;
        }

        _completions.Add();
        if (entry.State is not EntryState.Running) return;
        if (entry.RefusedBy is { } refuser && refuser != call.Worker) Contradict(refuser, call.Worker);
        End(entry, new(OutcomeKind.Answered, new(
            entry.Id.ToString(),
            call.Worker.Name,
            entry.Attempts,
            call.Entries.Count,
            entry.Waited.TotalMilliseconds,
            inferenceMs,
            entry.Text,
            answer.Truncated,
            answer.Label,
            answer.Probabilities,
            answer.Labels),
            Logits: reply.Logits,
            Problem: call.Output.Problem));
    }

    // One worker's refusal is no more than its word: another one is asked, and what both refuse is refused.
    private void Reject(DispatchCall call, QueueEntry entry, string? reason)
    {
        if (entry.RefusedBy is null)
        {
            entry.RefusedBy = call.Worker;
            if (HasOther(entry))
            {
                using var trace = DispatchTracing.Within(entry);
                DispatchLog.Doubted(logger, entry.Id, call.Worker.Name, reason);
                entry.Alone = true;
                entry.Attempts--;
                Return(entry, "refused");
                return;
            }
        }

        _completions.Add();
        End(entry, new(OutcomeKind.Rejected, Detail: reason));
    }

    private void Contradict(WorkerNode refuser, WorkerNode other)
    {
        refuser.Contradict(other);
        if (refuser.ContradictedRefusals < MaxContradictedRefusals || Workers.Find(refuser.Name) != refuser || refuser.Quarantined) return;
        // In a fleet of more than two a single other one, which answers whatever it is asked, must not have its way.
        if (!refuser.IsContradictedBySeveral && Workers.AliveCount > 2) return;
        refuser.ForgetContradictions();
        refuser.Failed++;
        using var trace = DispatchTracing.Within(null);
        Workers.Quarantine(refuser, $"it refuses texts that {other.Name} and others answer");
        NextDue = Math.Min(NextDue, refuser.NextProbeAt);
    }

    private void Fail(DispatchCall call, QueueEntry entry, string reason)
    {
        if (entry.State is not EntryState.Running) return;
        using var trace = DispatchTracing.Within(entry);
        entry.AddFailure(call.Worker);
        entry.Alone = true;
        if (entry.Attempts >= options.MaxAttempts)
        {
            DispatchLog.GivenUp(logger, entry.Id, entry.Attempts, call.Worker.Name, reason);
            End(entry, new(OutcomeKind.Failed,
                Detail: $"{entry.Attempts} attempts failed, on {string.Join(", ", entry.FailedOn.Select(worker => worker.Name))}."));
            return;
        }

        DispatchLog.Returned(logger, entry.Id, call.Worker.Name, reason);
        Return(entry, "failed");
    }

    private void Return(QueueEntry entry, string reason)
    {
        if (entry.State is not EntryState.Running) return;
        _queueDue = Math.Min(_queueDue, entry.DeadlineAt);
        _queue.Add(entry);
        metrics.Returned(reason);
    }

    private void Leave(QueueEntry entry, Outcome outcome)
    {
        if (entry.State is EntryState.Queued) _queue.Remove(entry);
        End(entry, outcome);
    }

    private void End(QueueEntry entry, Outcome outcome)
    {
        metrics.Ended(outcome.Kind);
        _room.GiveBack(entry);
        entry.End(outcome);
        Requests.Add(entry, outcome);
        effects.Ended(entry);
    }

    private int RetryAfter()
    {
        var perSecond = _completions.PerSecond();
        return perSecond <= 0 ? 60 : (int)Math.Clamp(Math.Ceiling(_queue.Count / perSecond), 1, 60);
    }
}
