namespace Lab.Orchestrator.Dispatch;

/// <content>
/// Which workers are this orchestrator's own where several share the fleet. That is a preference and nothing else: each
/// worker guards by itself that it computes one dispatch at a time, and lets one of each other orchestrator wait meanwhile,
/// so that views that differ for a moment cost a wait.
/// </content>
internal sealed partial class WorkerTable
{
    /// <summary>
    /// A worker's word on who shares it counts for so long. Whoever is gone workers forget by themselves; a machine that is
    /// too busy to ask them for a while must not take all of them for its own.
    /// </summary>
    private static readonly TimeSpan ReportCounts = TimeSpan.FromSeconds(5);

    /// <summary>A worker that has been quarantined for so long is nobody's: others get its owner's share of the rest.</summary>
    private static readonly TimeSpan QuarantineCounts = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PresenceInterval = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan ReviewInterval = TimeSpan.FromMilliseconds(500);

    // A worker of others that has been idle for so long its owner has no use for; between two dispatches of a backlog it is
    // idle for a millisecond or two.
    private static readonly TimeSpan IdleCounts = TimeSpan.FromMilliseconds(25);

    // What an answer takes from a worker to here, at most, for which it may seem to have become idle later than it has.
    private static readonly TimeSpan OnTheWay = TimeSpan.FromMilliseconds(2);

    // Until when a worker of others is left to them that says nothing more of itself: several times as long as it takes to ask.
    private static readonly TimeSpan LeftAlone = TimeSpan.FromSeconds(2);

    // By how much the end of others' turn is noticed late at most, where nothing happens meanwhile.
    private static readonly TimeSpan TurnLate = TimeSpan.FromMilliseconds(50);

    private volatile Share _share = new(0, 0, 1);
    private string[] _orchestrators = [id];
    private string[] _divided = [];
    private int _ownAlive;
    private int _commonAlive;
    private int _borrowed;
    private long _reviewAt;
    private long _turnAt = long.MaxValue;

    /// <summary>How many workers are its own, and among how many orchestrators. May be read from elsewhere.</summary>
    public Share Share => _share;

    /// <summary>
    /// By how many workers this orchestrator's queue is worked off: its own, its part of those that all have in common, and
    /// of others those at its work or believed to be idle; at least one.
    /// </summary>
    public double ExpectedCount =>
        Math.Max(1, _ownAlive + ((double)_commonAlive / _orchestrators.Length) + _borrowed + _idle[(int)Ownership.Others].Count);

    /// <summary>
    /// The free worker to take: of its own the one that has been idle longest, else of those that all have in common, and
    /// only when there is none of these, one of others'.
    /// </summary>
    public WorkerNode? LongestIdle
    {
        get
        {
            foreach (var idle in _idle)
                if (idle.First is { } first) return first.Value;
            return null;
        }
    }

    /// <summary>The same of those that an entry may have.</summary>
    public WorkerNode? LongestIdleFor(QueueEntry entry)
    {
        foreach (var idle in _idle)
            for (var place = idle.First; place is not null; place = place.Next)
                if (!entry.WasAt(place.Value)) return place.Value;
        return null;
    }

    /// <summary>A worker has no room for another's work now: ask it again when it has said that it will be free, or else in a moment.</summary>
    /// <param name="node">The worker.</param>
    /// <param name="busy">For how long it says that it will be busy.</param>
    public void Hold(WorkerNode node, TimeSpan? busy)
    {
        node.HeldUntil = time.GetTimestamp() + Ticks(IsBorrowed(node) ? LeftAlone : busy ?? HoldMin + ((HoldMax - HoldMin) * jitter.NextDouble()));
        node.IsLeftToOthers = false;
        if (node.Ownership is Ownership.Common) _turnAt = Math.Min(_turnAt, node.HeldUntil);
        Place(node);
    }

    /// <summary>A worker that is left to others, for an entry that no other may have: it waits there for as long as these take.</summary>
    public WorkerNode? LeftToOthersFor(QueueEntry entry) =>
        _nodes.Values.FirstOrDefault(node => node is { IsLeftToOthers: true, IsAlive: true, Current: null } && node.HeldUntil != 0 && !entry.WasAt(node));

    /// <summary>
    /// A worker has answered: one of others that these want is left to them until it says that it has long been idle, and
    /// at one that all have in common the others have their turn.
    /// </summary>
    /// <param name="node">The worker, whose call is about to be over.</param>
    /// <param name="isWanted">Whether others have come meanwhile.</param>
    /// <param name="computed">How long it has computed.</param>
    public void Answered(WorkerNode node, bool isWanted, TimeSpan computed)
    {
        node.AnsweredAt = time.GetTimestamp();
        if (!isWanted) return;
        node.IsLeftToOthers = true;
        if (IsBorrowed(node)) node.HeldUntil = node.AnsweredAt + Ticks(LeftAlone);
        else if (node.Ownership is Ownership.Common)
        {
            var turns = computed * (_orchestrators.Length - 1);
            node.HeldUntil = node.AnsweredAt + Ticks(turns < LeftAlone ? turns : LeftAlone);
            _turnAt = Math.Min(_turnAt, node.HeldUntil);
        }
    }

    /// <summary>Takes what a worker has said of itself and of who shares it.</summary>
    /// <param name="node">The worker.</param>
    /// <param name="address">Where it was asked.</param>
    /// <param name="report">What it said; <c>null</c> if nothing that can be read.</param>
    public void Heard(WorkerNode node, Uri address, PresenceReport? report)
    {
        if (node.Address != address) return;
        var now = time.GetTimestamp();
        node.AskingPresence = false;
        if (report is null || node.Removed) return;
        var isNews = !report.NamesTheSame(node.Presence);
        node.Presence = report;
        node.PresenceAt = now;
        if (report.Leaving != node.Leaving) Leave(node, report.Leaving);
        if (isNews) Review(now);
        // Of those that it need not borrow it has fresher news than this answer.
        if (!IsBorrowed(node) || node.Current is not null) return;
        node.HeldUntil = IsIdle(node, report, now) ? 0 : now + Ticks(LeftAlone);
        node.IsLeftToOthers = true;
        Place(node);
    }

    /// <summary>
    /// Ends the turns of others that are over, whenever there is work: where several orchestrators have much to do a timer
    /// for each turn would cost more than it is late without.
    /// </summary>
    public void EndTurns()
    {
        if (_turnAt == long.MaxValue || time.GetTimestamp() is var now && _turnAt > now) return;
        _turnAt = long.MaxValue;
        foreach (var node in _nodes.Values)
        {
            if (node.Ownership is not Ownership.Common || node.HeldUntil == 0) continue;
            if (node.HeldUntil > now)
            {
                _turnAt = Math.Min(_turnAt, node.HeldUntil);
                continue;
            }

            node.HeldUntil = 0;
            Place(node);
        }
    }

    /// <summary>When a hold must be looked at: of a worker in common, if nothing happens until then that ends it.</summary>
    public long EndOfHold(WorkerNode node) => node.Ownership is Ownership.Common ? node.HeldUntil + Ticks(TurnLate) : node.HeldUntil;

    private bool IsBorrowed(WorkerNode node) => node.Ownership is Ownership.Others && _ownAlive + _commonAlive > 0;

    // Its owner has no use for it: long since, or since before this orchestrator used it last.
    private bool IsIdle(WorkerNode node, PresenceReport report, long now) =>
        report.Busy is null && (report.Idle is not { } idle || idle >= IdleCounts || now - Ticks(idle) <= node.AnsweredAt + Ticks(OnTheWay));

    private void EndHoldsOfOthers()
    {
        foreach (var node in _nodes.Values)
        {
            if (node.Ownership is not Ownership.Others) continue;
            node.HeldUntil = 0;
            Place(node);
        }
    }

    private void Leave(WorkerNode node, string? reason)
    {
        if (reason is null) WorkerTableLog.Stays(logger, node.Name);
        else WorkerTableLog.Leaves(logger, node.Name, reason);
        var wasAlive = node.IsAlive;
        node.Leaving = reason;
        Changed(node, wasAlive);
        Review(time.GetTimestamp());
    }

    /// <summary>Asks a worker that is trusted whom it has heard of, when that is due.</summary>
    /// <returns>Clock reading of the next such moment.</returns>
    private long AskPresence(WorkerNode node, long now, Action<WorkerNode> ask)
    {
        if (node.Quarantined || node.AskingPresence) return long.MaxValue;
        if (node.NextPresenceAt > now) return node.NextPresenceAt;
        node.AskingPresence = true;
        // Counted from here: a slow answer must not make this orchestrator forgotten.
        node.NextPresenceAt = now + Ticks(Jittered(PresenceInterval));
        ask(node);
        return long.MaxValue;
    }

    /// <summary>Who else there is, and whose each worker is by that; anew whenever either may have changed.</summary>
    private void Review(long now)
    {
        _reviewAt = now + Ticks(ReviewInterval);
        var orchestrators = Alive(now);
        var shared = orchestrators.Length == 1 ? [] : _nodes.Values.Where(node => IsShared(node, now)).Select(node => node.Name).Order(StringComparer.Ordinal).ToArray();
        var isSame = orchestrators.SequenceEqual(_orchestrators, StringComparer.Ordinal);
        if (!isSame || !shared.SequenceEqual(_divided, StringComparer.Ordinal))
        {
            (_orchestrators, _divided) = (orchestrators, shared);
            var owners = orchestrators.Length == 1 ? null : Shares.Divide(shared, orchestrators);
            foreach (var node in _nodes.Values)
            {
                node.Ownership = owners is null ? Ownership.Own
                    : owners.TryGetValue(node.Name, out var owner) ? (owner == id ? Ownership.Own : Ownership.Others)
                    : Array.BinarySearch(shared, node.Name, StringComparer.Ordinal) >= 0 ? Ownership.Common
                    : Ownership.Others;
                if (node.Ownership is not Ownership.Others) node.HeldUntil = 0;
                Place(node);
            }

            _borrowed = _nodes.Values.Count(node => node is { Ownership: Ownership.Others, Current: not null });
            Count();
        }

        _share = new(CountShared(Ownership.Own), CountShared(Ownership.Common), orchestrators.Length);
        if (!isSame && _nodes.Count > 0) WorkerTableLog.Shared(logger, _share.Orchestrators, _share.Owned, _share.Common, _nodes.Count);

        int CountShared(Ownership whose) => _nodes.Values.Count(node => node.Ownership == whose && IsShared(node, now));
    }

    /// <summary>This orchestrator, and those that at least half of the workers name that have said something lately, and not one alone.</summary>
    private string[] Alive(long now)
    {
        var answered = 0;
        Dictionary<string, int>? votes = null;
        foreach (var node in _nodes.Values)
        {
            if (node.Quarantined || node.Removed || node.Presence is not { } report || time.GetElapsedTime(node.PresenceAt, now) >= ReportCounts) continue;
            answered++;
            foreach (var other in report.Orchestrators)
            {
                if (other == id) continue;
                votes ??= new(StringComparer.Ordinal);
                votes[other] = votes.GetValueOrDefault(other) + 1;
            }
        }

        return votes is null ? [id] : [.. votes.Where(vote => 2 * vote.Value >= answered && vote.Value >= Math.Min(2, answered)).Select(vote => vote.Key).Append(id).Order(StringComparer.Ordinal)];
    }

    // A person's drain is this orchestrator's alone, and others do not know of it.
    private bool IsShared(WorkerNode node, long now) =>
        node is { Removed: false, Leaving: null } && !(node.Quarantined && time.GetElapsedTime(node.QuarantinedAt, now) >= QuarantineCounts);
}

/// <summary>What this orchestrator has of the fleet.</summary>
/// <param name="Owned">Workers of its own.</param>
/// <param name="Common">Workers that all orchestrators have in common.</param>
/// <param name="Orchestrators">Orchestrators that share the fleet, itself included.</param>
internal sealed record Share(int Owned, int Common, int Orchestrators);
