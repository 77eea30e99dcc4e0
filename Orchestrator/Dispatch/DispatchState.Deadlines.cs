namespace Lab.Orchestrator.Dispatch;

/// <content>What time alone makes due.</content>
internal sealed partial class DispatchState
{
    /// <summary>Does what time alone makes due: deadlines, dispatches that take too long, holds and probes.</summary>
    public void Tick()
    {
        var now = time.GetTimestamp();
        if (_queueDue <= now) ExpireQueued(now);
        var running = ExpireRunning(now);
        NextDue = Math.Min(Math.Min(_queueDue, running), Workers.Tick(now, effects.Probe, effects.AskPresence));
        Pump();
    }

    private void ExpireQueued(long now)
    {
        _queueDue = long.MaxValue;
        for (var entry = _queue.Head; entry is not null;)
        {
            var next = entry.Next;
            if (entry.DeadlineAt <= now) Expire(entry);
            else _queueDue = Math.Min(_queueDue, entry.DeadlineAt);
            entry = next;
        }
    }

    private long ExpireRunning(long now)
    {
        var due = long.MaxValue;
        // A list of its own: a call that has taken too long changes the table.
        foreach (var call in Workers.All.Select(worker => worker.Current).OfType<DispatchCall>().ToList())
        {
            foreach (var entry in call.Entries)
            {
                if (entry.State is not EntryState.Running) continue;
                if (entry.DeadlineAt <= now) Expire(entry);
                else due = Math.Min(due, entry.DeadlineAt);
            }

            var callDue = call.StartedAt + Workers.Ticks(options.DispatchTimeout);
            if (callDue <= now)
            {
                call.Abort();
                Reply(call, new WorkerReply.Failed($"no answer within {options.DispatchTimeout.TotalSeconds:0.###} s"));
            }
            else due = Math.Min(due, callDue);
        }

        // Whatever a reply above has sent anew falls due within the timeout at the latest.
        return Math.Min(due, now + Workers.Ticks(options.DispatchTimeout));
    }

    private void Expire(QueueEntry entry)
    {
        using var trace = DispatchTracing.Within(entry);
        DispatchLog.Expired(logger, entry.Id, entry.State);
        Leave(entry, new(OutcomeKind.DeadlinePassed, Detail: $"No answer within {entry.Timeout.TotalSeconds:0.###} s."));
    }
}
