using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>A worker as the dispatcher knows it. Touched by the dispatcher's loop alone.</summary>
internal sealed class WorkerNode
{
    private WorkerNode? _contradictedBy;

    public WorkerNode(string name, Uri address)
    {
        Name = name;
        Address = address;
        IdlePlace = new(this);
    }

    public string Name { get; }

    public Uri Address { get; set; }

    /// <summary>The model it serves; <c>null</c> while it is not known to be well, or does not tell.</summary>
    public ModelInfo? Model
    {
        get;
        set
        {
            field = value;
            Output = ModelOutput.Of(value);
        }
    }

    /// <summary>What answers of <see cref="Model"/> are made of.</summary>
    public ModelOutput Output { get; private set; } = ModelOutput.Unknown;

    /// <summary>Quarantined for no other reason than that its model is not the fleet's.</summary>
    public bool HasOtherModel { get; set; }

    /// <summary>The call it computes now, if any.</summary>
    public DispatchCall? Current { get; set; }

    /// <summary>Not trusted with work until a probe finds it healthy. So begins every worker.</summary>
    public bool Quarantined { get; set; } = true;

    /// <summary>Finishes its work and gets no more.</summary>
    public bool Draining { get; set; }

    /// <summary>Why it will be gone, as it says itself; it gets no more work then. <c>null</c> as long as it stays.</summary>
    public string? Leaving { get; set; }

    /// <summary>No longer configured: forgotten as soon as it is idle.</summary>
    public bool Removed { get; set; }

    /// <summary>Whose it is, where several orchestrators share the fleet.</summary>
    public Ownership Ownership { get; set; }

    /// <summary>Clock reading at which it answered this orchestrator last.</summary>
    public long AnsweredAt { get; set; } = long.MinValue;

    /// <summary>What it has said last of who shares it; <c>null</c> before the first time.</summary>
    public PresenceReport? Presence { get; set; }

    /// <summary>Clock reading of <see cref="Presence"/>.</summary>
    public long PresenceAt { get; set; }

    public bool AskingPresence { get; set; }

    /// <summary>Clock reading at which it is asked next who shares it.</summary>
    public long NextPresenceAt { get; set; }

    /// <summary>Clock reading at which it was quarantined last.</summary>
    public long QuarantinedAt { get; set; }

    /// <summary>Somebody else's work keeps it busy, or it is left to others, until about then (clock reading); 0 when free.</summary>
    public long HeldUntil { get; set; }

    /// <summary>Held because others use it, not because it has refused: it would let one wait.</summary>
    public bool IsLeftToOthers { get; set; }

    /// <summary>Texts answered.</summary>
    public long Completed { get; set; }

    /// <summary>Dispatches failed.</summary>
    public long Failed { get; set; }

    /// <summary>Its times for its last dispatches, in milliseconds.</summary>
    public RecentTimes RecentInference { get; } = new();

    /// <summary>What was last found wrong with it; <c>null</c> as long as nothing was.</summary>
    public string? LastError { get; set; }

    /// <summary>Failures since the last answer: the exponent of the quarantine's backoff.</summary>
    public int ConsecutiveFailures { get; set; }

    /// <summary>Refusals in a row of texts that another worker then answered.</summary>
    public int ContradictedRefusals { get; private set; }

    /// <summary>Whether it was more than one that then answered: one alone may be the one that is wrong.</summary>
    public bool IsContradictedBySeveral { get; private set; }

    /// <summary>Another has answered what this one refused.</summary>
    public void Contradict(WorkerNode other)
    {
        ContradictedRefusals++;
        IsContradictedBySeveral |= _contradictedBy is not null && _contradictedBy != other;
        _contradictedBy ??= other;
    }

    /// <summary>It has shown that it answers, or has been punished for not doing so.</summary>
    public void ForgetContradictions()
    {
        ContradictedRefusals = 0;
        IsContradictedBySeveral = false;
        _contradictedBy = null;
    }

    /// <summary>How many texts it may get at once: one after quarantine, twice as many after each dispatch that it answers.</summary>
    public int BatchLimit { get; set; } = int.MaxValue;

    /// <summary>Probes failed in a row while trusted.</summary>
    public int MissedProbes { get; set; }

    public bool Probing { get; set; }

    /// <summary>Clock reading of the next probe.</summary>
    public long NextProbeAt { get; set; }

    /// <summary>Its place among the free workers, longest idle first.</summary>
    public LinkedListNode<WorkerNode> IdlePlace { get; }

    public bool IsAlive => !Quarantined && !Draining && Leaving is null;

    public bool CanWork => IsAlive && Current is null && HeldUntil == 0;

    /// <summary>Why it drains, where it is the worker that has said so.</summary>
    public string? Reason => Quarantined ? null : Leaving;

    /// <summary>The word of <c>GET /workers</c> for its state.</summary>
    public string Status =>
        Quarantined ? "quarantined"
        : Draining || Leaving is not null ? "draining"
        : Current is not null || HeldUntil != 0 ? "busy"
        : "free";
}

/// <summary>Whose a worker is, the one to take first before the others.</summary>
internal enum Ownership
{
    /// <summary>This orchestrator's alone.</summary>
    Own,

    /// <summary>All orchestrators' alike.</summary>
    Common,

    /// <summary>Another orchestrator's.</summary>
    Others,
}
