namespace Lab.Orchestrator.Dispatch;

/// <content>What time alone makes due.</content>
internal sealed partial class WorkerTable
{
    /// <summary>Clock reading of the next probe of any worker.</summary>
    public long NextProbeAt => _nodes.Count == 0 ? long.MaxValue : _nodes.Values.Min(node => node.Probing ? long.MaxValue : node.NextProbeAt);

    /// <summary>Ends holds, and starts probes and questions for orchestrators that are due.</summary>
    /// <returns>Clock reading of the next such event.</returns>
    public long Tick(long now, Action<WorkerNode> probe, Action<WorkerNode> askPresence)
    {
        if (_reviewAt <= now) Review(now);
        var due = _nodes.Count == 0 ? long.MaxValue : _reviewAt;
        foreach (var node in _nodes.Values)
        {
            due = Math.Min(due, AskPresence(node, now, askPresence));
            if (node.HeldUntil != 0)
            {
                if (node.HeldUntil <= now)
                {
                    node.HeldUntil = 0;
                    Place(node);
                }
                else due = Math.Min(due, EndOfHold(node));
            }

            if (node.Probing) continue;
            if (node.NextProbeAt <= now)
            {
                if (node.Current is null)
                {
                    node.Probing = true;
                    probe(node);
                    continue;
                }

                // A worker at work shows by its reply how it is.
                node.NextProbeAt = now + Ticks(Jittered(options.ProbeInterval));
            }

            due = Math.Min(due, node.NextProbeAt);
        }

        return due;
    }
}
