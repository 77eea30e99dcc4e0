using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch.Schedules;

/// <summary>A worker as the rules alone would have it.</summary>
internal sealed class ModelWorker(string name)
{
    public string Name { get; } = name;

    public bool Quarantined { get; set; } = true;

    public bool Draining { get; set; }

    public bool Removed { get; set; }

    public int MissedProbes { get; set; }

    /// <summary>When it last said that somebody else kept it busy (clock reading).</summary>
    public long? BusySince { get; set; }

    public DispatchCall? Current { get; set; }

    public bool IsAlive => !Quarantined && !Draining;

}

/// <summary>An entry as the rules alone would have it.</summary>
internal sealed class ModelEntry(QueueEntry entry, long order)
{
    public QueueEntry Entry { get; } = entry;

    public long Order { get; } = order;

    public bool Waiting { get; set; }

    public bool Running { get; set; }

    public int Attempts { get; set; }

    public HashSet<ModelWorker> FailedOn { get; } = [];

    /// <summary>How it must have ended, once it must have.</summary>
    public OutcomeKind? Expected { get; set; }
}

/// <summary>A rule of the dispatcher has been broken.</summary>
internal sealed class RuleBrokenException(string rule) : Exception(rule);

/// <summary>
/// The dispatcher's rules, written down as plainly as they can be: lists, no order of its own making, no speed.
/// It is told what happens before the dispatcher is, and checks each dispatch and each end against the rules.
/// </summary>
internal sealed class ScheduleModel(OrchestratorOptions options, TimeProvider time)
{
    /// <summary>A busy worker is left alone for at least and at most so long.</summary>
    private static readonly TimeSpan HoldMin = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan HoldMax = TimeSpan.FromMilliseconds(27);

    private readonly List<ModelEntry> _entries = [];
    private readonly Dictionary<QueueEntry, ModelEntry> _byEntry = [];
    private readonly Dictionary<string, ModelWorker> _workers = [];

    public IReadOnlyList<ModelEntry> Entries => _entries;

    public List<DispatchCall> Calls { get; } = [];

    private int AliveCount => _workers.Values.Count(worker => worker.IsAlive);

    public void Submitting(IReadOnlyList<QueueEntry> entries)
    {
        var waiting = _entries.Count(entry => entry.Waiting);
        OutcomeKind? refusal = entries[0].Accepted ? null
            : AliveCount == 0 ? OutcomeKind.NoWorker
            : waiting + entries.Count > options.QueueCapacity ? OutcomeKind.QueueFull
            : null;
        foreach (var entry in entries)
        {
            var known = new ModelEntry(entry, _entries.Count) { Waiting = refusal is null, Expected = refusal };
            _entries.Add(known);
            _byEntry.Add(entry, known);
        }
    }

    public static void HangingUp(ModelEntry entry)
    {
        if (entry.Expected is not null) return;
        entry.Waiting = entry.Running = false;
        entry.Expected = OutcomeKind.Canceled;
    }

    /// <summary>The dispatcher has sent a call: was it allowed to?</summary>
    public void Sent(DispatchCall call)
    {
        NoticeAborted();
        var worker = _workers.GetValueOrDefault(call.Worker.Name) ?? throw new RuleBrokenException($"dispatch to {call.Worker.Name}, which is gone");
        Check(worker.Current is null, $"two dispatches at {worker.Name}");
        Check(IsFree(worker, HoldMin), $"dispatch to {worker.Name}, which may get none");
        Check(call.Entries.Count is > 0 && call.Entries.Count <= options.MaxBatch, "a batch too large");
        var entries = call.Entries.Select(entry => _byEntry[entry]).ToList();
        foreach (var entry in entries)
        {
            Check(entry.Waiting, $"entry {entry.Order} dispatched though it does not wait");
            Check(IsEligible(entry, worker), $"entry {entry.Order} dispatched to {worker.Name}, where it has failed");
            Check(entry.FailedOn.Count == 0 || entries.Count == 1, $"entry {entry.Order} in a batch though it has failed");
        }

        var last = entries.Max(entry => entry.Order);
        Check(!_entries.Any(entry =>
                entry.Waiting && !entry.Entry.Completion.IsCompleted && entry.Order < last && !entries.Contains(entry) && IsEligible(entry, worker)),
            "an eligible entry was overtaken");
        foreach (var entry in entries)
        {
            entry.Waiting = false;
            entry.Running = true;
            entry.Attempts++;
        }

        worker.Current = call;
        Calls.Add(call);
    }

    public void Answering(DispatchCall call)
    {
        foreach (var entry in Over(call)) End(entry, OutcomeKind.Answered);
    }

    public void Busying(DispatchCall call)
    {
        _workers[call.Worker.Name].BusySince = time.GetTimestamp();
        foreach (var entry in Over(call))
        {
            entry.Attempts--;
            entry.Running = false;
            entry.Waiting = true;
        }
    }

    public void Failing(DispatchCall call)
    {
        var worker = _workers[call.Worker.Name];
        worker.Quarantined = true;
        foreach (var entry in Over(call))
        {
            entry.FailedOn.Add(worker);
            if (entry.Entry.Completion is { IsCompleted: true, Result.Kind: OutcomeKind.DeadlinePassed }) continue;
            if (entry.Attempts >= options.MaxAttempts) End(entry, OutcomeKind.Failed);
            else (entry.Running, entry.Waiting) = (false, true);
        }
    }

    public ModelWorker? Find(string name) => _workers.GetValueOrDefault(name);

    public static void Probing(ModelWorker worker, bool healthy)
    {
        if (healthy)
        {
            worker.Quarantined = false;
            worker.MissedProbes = 0;
        }
        else if (!worker.Quarantined && worker.Current is null && ++worker.MissedProbes >= 2)
        {
            worker.Quarantined = true;
            worker.MissedProbes = 0;
        }
    }

    public void SettingWorkers(IReadOnlyCollection<string> names)
    {
        foreach (var worker in _workers.Values.Where(worker => !names.Contains(worker.Name)).ToList())
        {
            worker.Draining = worker.Removed = true;
            if (worker.Current is null) _workers.Remove(worker.Name);
        }

        foreach (var name in names)
        {
            if (!_workers.TryGetValue(name, out var worker)) _workers.Add(name, new(name));
            else if (worker.Removed) worker.Draining = worker.Removed = false;
        }
    }

    public void SettingDraining(string name, bool draining)
    {
        if (_workers.GetValueOrDefault(name) is { Removed: false } worker) worker.Draining = draining;
    }

    /// <summary>Takes over what the dispatcher has given up for lack of an answer.</summary>
    public void NoticeAborted()
    {
        foreach (var call in Calls.Where(call => call.Aborted.IsCancellationRequested).ToList()) Failing(call);
    }

    /// <summary>Everything has settled: is it as the rules want it?</summary>
    /// <param name="overdue">Whether an entry's deadline has passed for certain, or may just have.</param>
    public void CheckSettled(Func<QueueEntry, bool?> overdue)
    {
        NoticeAborted();
        foreach (var entry in _entries)
        {
            if (entry.Expected is null && overdue(entry.Entry) != false && entry.Entry.Completion.IsCompleted)
            {
                entry.Waiting = entry.Running = false;
                entry.Expected = OutcomeKind.DeadlinePassed;
            }

            Check(entry.Expected is not null || overdue(entry.Entry) != true, $"entry {entry.Order} lives past its deadline");
            Check(entry.Entry.Completion.IsCompleted == entry.Expected is not null, $"entry {entry.Order} has ended, or has not, against the rules");
            if (entry.Expected is { } kind)
                Check(entry.Entry.Completion.Result.Kind == kind, $"entry {entry.Order} ended as {entry.Entry.Completion.Result.Kind} and not as {kind}");
        }

        Check(!_workers.Values.Any(worker => IsFree(worker, HoldMax) && _entries.Any(entry => entry.Waiting && IsEligible(entry, worker))),
            "a worker is idle while an entry that it may have waits");
    }

    private bool IsFree(ModelWorker worker, TimeSpan hold) =>
        worker.IsAlive && worker.Current is null && (worker.BusySince is not { } since || time.GetElapsedTime(since) >= hold);

    private bool IsEligible(ModelEntry entry, ModelWorker worker) =>
        !entry.FailedOn.Contains(worker)
        || !_workers.Values.Any(other => other.IsAlive && !entry.FailedOn.Contains(other));

    private List<ModelEntry> Over(DispatchCall call)
    {
        Calls.Remove(call);
        var worker = _workers[call.Worker.Name];
        worker.Current = null;
        if (worker.Removed) _workers.Remove(worker.Name);
        return [.. call.Entries.Select(entry => _byEntry[entry]).Where(entry => entry.Running)];
    }

    private static void End(ModelEntry entry, OutcomeKind kind)
    {
        entry.Running = entry.Waiting = false;
        entry.Expected = kind;
    }

    private static void Check(bool holds, string rule)
    {
        if (!holds) throw new RuleBrokenException(rule);
    }
}
