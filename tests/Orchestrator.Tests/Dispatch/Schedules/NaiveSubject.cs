using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Dispatch.Schedules;

/// <summary>The ways in which <see cref="NaiveSubject"/> can be made wrong.</summary>
internal enum Defect
{
    None, ReturnsToTheTail, SendsToABusyWorker, ForgetsWhoFailed, LosesAFailure, IgnoresDraining, IgnoresQuarantine,
    ForgetsRunningDeadlines, KeepsTheHungUp, IdlesAfterAReply, TakesLateReplies, AcceptsHalfABatch, TakesTheYoungest, CountsBusyAsAttempt,
}

/// <summary>
/// A second dispatcher, slow and simple, that follows the same rules without batches; with one defect built in it
/// shows that a schedule would catch that defect in ours.
/// </summary>
internal sealed class NaiveSubject(OrchestratorOptions options, FakeTimeProvider time, IDispatchEffects effects, Defect defect) : ISubject
{
    private static readonly Outcome Refused = new(OutcomeKind.QueueFull);
    private readonly Dictionary<string, WorkerNode> _workers = [];
    private readonly List<QueueEntry> _waiting = [];
    private long _arrivals;

    // It looks at everything every millisecond: that is what makes it simple.
    public long NextDue => time.GetTimestamp();

    private IEnumerable<WorkerNode> Alive => _workers.Values.Where(worker =>
        (defect is Defect.IgnoresQuarantine || !worker.Quarantined) && (defect is Defect.IgnoresDraining || !worker.Draining));

    public void Submit(IReadOnlyList<QueueEntry> entries)
    {
        var room = entries[0].Accepted ? entries.Count : options.QueueCapacity - _waiting.Count;
        var refusal = !entries[0].Accepted && !Alive.Any() ? new(OutcomeKind.NoWorker) : room < entries.Count ? Refused : null;
        foreach (var entry in entries)
        {
            if (refusal is not null && !(defect is Defect.AcceptsHalfABatch && room-- > 0))
            {
                End(entry, refusal);
                continue;
            }

            entry.State = EntryState.Queued;
            entry.Arrival = ++_arrivals;
            if (entry.Timeout != Timeout.InfiniteTimeSpan) entry.DeadlineAt = time.GetTimestamp() + (long)(entry.Timeout.TotalSeconds * time.TimestampFrequency);
            _waiting.Add(entry);
        }

        Pump();
    }

    public void HangUp(QueueEntry entry)
    {
        if (entry.State is EntryState.Done || (defect is Defect.KeepsTheHungUp && entry.State is EntryState.Queued)) return;
        End(entry, OutcomeKind.Canceled);
    }

    public void Reply(DispatchCall call, WorkerReply reply)
    {
        if (call.Worker.Current != call && defect is not Defect.TakesLateReplies) return;
        if (call.Worker.Current == call) call.Worker.Current = null;
        if (reply is WorkerReply.Busy) call.Worker.HeldUntil = time.GetTimestamp() + (time.TimestampFrequency / 100);
        if (reply is WorkerReply.Failed) call.Worker.Quarantined = true;
        foreach (var entry in call.Entries.Where(entry => entry.State is EntryState.Running))
        {
            if (reply is WorkerReply.Answered) End(entry, OutcomeKind.Answered);
            else if (reply is WorkerReply.Failed && entry.Attempts >= options.MaxAttempts) End(entry, OutcomeKind.Failed);
            else Return(call, entry, reply is WorkerReply.Failed);
        }

        if (call.Worker is { Removed: true, Current: null }) _workers.Remove(call.Worker.Name);
        if (defect is not Defect.IdlesAfterAReply) Pump();
    }

    public void Probed(WorkerNode worker, string? failure)
    {
        worker.Probing = false;
        worker.NextProbeAt = time.GetTimestamp() + (time.TimestampFrequency / 5);
        if (failure is null) (worker.MissedProbes, worker.Quarantined) = (0, false);
        else if (!worker.Quarantined && worker.Current is null && ++worker.MissedProbes >= 2) (worker.MissedProbes, worker.Quarantined) = (0, true);
        Pump();
    }

    public void SetWorkers(IReadOnlyDictionary<string, Uri> addresses)
    {
        foreach (var worker in _workers.Values.Where(worker => !addresses.ContainsKey(worker.Name)).ToList())
        {
            worker.Draining = worker.Removed = true;
            if (worker.Current is null) _workers.Remove(worker.Name);
        }

        foreach (var (name, address) in addresses)
        {
            if (!_workers.TryGetValue(name, out var worker)) _workers.Add(name, new(name, address));
            else if (worker.Removed) worker.Draining = worker.Removed = false;
        }

        Tick();
    }

    public void SetDraining(string name, bool draining)
    {
        if (_workers.GetValueOrDefault(name) is { Removed: false } worker) worker.Draining = draining;
        Pump();
    }

    public void Tick()
    {
        var now = time.GetTimestamp();
        foreach (var entry in _waiting.Where(entry => entry.DeadlineAt <= now).ToList()) End(entry, OutcomeKind.DeadlinePassed);
        foreach (var worker in _workers.Values.ToList())
        {
            if (worker.HeldUntil <= now) worker.HeldUntil = 0;
            if (worker.Current is { } call) TickCall(call, now);
            else if (!worker.Probing && worker.NextProbeAt <= now)
            {
                worker.Probing = true;
                effects.Probe(worker);
            }
        }

        Pump();
    }

    public void Stop()
    {
        foreach (var entry in _waiting.Concat(_workers.Values.SelectMany(worker => worker.Current?.Entries ?? [])).ToList())
            if (entry.State is not EntryState.Done) End(entry, OutcomeKind.Stopped);
    }

    private void TickCall(DispatchCall call, long now)
    {
        if (defect is not Defect.ForgetsRunningDeadlines)
        {
            foreach (var entry in call.Entries.Where(entry => entry.State is EntryState.Running && entry.DeadlineAt <= now).ToList())
                End(entry, OutcomeKind.DeadlinePassed);
        }

        if (time.GetElapsedTime(call.StartedAt) < options.DispatchTimeout) return;
        call.Abort();
        Reply(call, new WorkerReply.Failed("late"));
    }

    private void Return(DispatchCall call, QueueEntry entry, bool failed)
    {
        if (failed) entry.AddFailure(call.Worker);
        else if (defect is not Defect.CountsBusyAsAttempt) entry.Attempts--;
        if (defect is Defect.LosesAFailure) return;
        entry.State = EntryState.Queued;
        _waiting.Add(entry);
        if (defect is not Defect.ReturnsToTheTail) _waiting.Sort((a, b) => a.Arrival.CompareTo(b.Arrival));
    }

    private void Pump()
    {
        foreach (var entry in defect is Defect.TakesTheYoungest ? Enumerable.Reverse(_waiting).ToList() : [.. _waiting])
        {
            var free = Alive.Where(worker => (worker.Current is null || defect is Defect.SendsToABusyWorker) && worker.HeldUntil == 0).ToList();
            var others = Alive.Where(worker => !entry.FailedOn.Contains(worker)).ToList();
            if (defect is not Defect.ForgetsWhoFailed && others.Count > 0) free = [.. free.Intersect(others)];
            if (free.Count == 0) continue;
            _waiting.Remove(entry);
            entry.State = EntryState.Running;
            entry.Attempts++;
            free[0].Current = new(1, free[0], [entry], time.GetTimestamp());
            effects.Send(free[0].Current!);
        }
    }

    private void End(QueueEntry entry, OutcomeKind kind) => End(entry, new Outcome(kind));

    private void End(QueueEntry entry, Outcome outcome)
    {
        _waiting.Remove(entry);
        entry.End(outcome);
        effects.Ended(entry);
    }
}
