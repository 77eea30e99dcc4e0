namespace Lab.Orchestrator.Dispatch;

/// <content>
/// Which workers are this orchestrator's own where several share the fleet. That is a preference and nothing else: each
/// worker guards by itself that it computes one dispatch at a time, so that views that differ for a moment cost a refusal.
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

    // How long a worker of others is left alone that has refused this orchestrator or was wanted by its owner: from a
    // few dispatches' time to a second, so that a busy fleet is asked in vain hardly ever and an idle one found soon.
    private static readonly TimeSpan BorrowBackoffMin = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan BorrowBackoffMax = TimeSpan.FromSeconds(1);

    private readonly LinkedList<WorkerNode> _idleOthers = new();
    private volatile Share _share = new(0, 1);
    private string[] _orchestrators = [id];
    private string[] _divided = [];
    private int _ownAlive;
    private int _borrowed;
    private long _reviewAt;

    /// <summary>How many workers are its own, and among how many orchestrators. May be read from elsewhere.</summary>
    public Share Share => _share;

    /// <summary>
    /// How many workers this orchestrator's queue is worked off by: its own, and of others those at its work or believed
    /// to be idle; at least one.
    /// </summary>
    public int ExpectedCount => Math.Max(1, _ownAlive + _borrowed + _idleOthers.Count);

    /// <summary>The free worker to take: of its own the one that has been idle longest, and only when there is none of others'.</summary>
    public WorkerNode? LongestIdle => (_idle.First ?? _idleOthers.First)?.Value;

    /// <summary>The same of those that an entry may have.</summary>
    public WorkerNode? LongestIdleFor(QueueEntry entry)
    {
        for (var place = _idle.First; place is not null; place = place.Next)
            if (!entry.WasAt(place.Value)) return place.Value;
        for (var place = _idleOthers.First; place is not null; place = place.Next)
            if (!entry.WasAt(place.Value)) return place.Value;
        return null;
    }

    /// <summary>A worker is busy with somebody else's work: ask it again when it has said that it will be free, or else in a moment.</summary>
    /// <param name="node">The worker.</param>
    /// <param name="busy">For how long it says that it will be busy.</param>
    public void Hold(WorkerNode node, TimeSpan? busy)
    {
        var hold = busy ?? HoldMin + ((HoldMax - HoldMin) * jitter.NextDouble());
        if (IsBorrowed(node))
        {
            var backoff = BorrowBackoff(node);
            if (backoff > hold) hold = backoff;
        }

        node.HeldUntil = time.GetTimestamp() + Ticks(hold);
        Place(node);
    }

    /// <summary>A worker of others has answered: if others were refused meanwhile it is theirs now, and left to them.</summary>
    /// <param name="node">The worker, whose call is about to be over.</param>
    /// <param name="isWanted">Whether it has refused somebody.</param>
    public void Borrowed(WorkerNode node, bool isWanted)
    {
        if (!IsBorrowed(node)) return;
        if (isWanted) node.HeldUntil = time.GetTimestamp() + Ticks(BorrowBackoff(node));
        else node.Refusals = 0;
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
        if (node.IsOwn || node.Current is not null) return;
        // Of its own it has fresher news than this answer.
        if (report.Busy is { } busy) node.HeldUntil = Math.Max(node.HeldUntil, now + Ticks(busy));
        else (node.HeldUntil, node.Refusals) = (0, node.Refusals / 2);
        Place(node);
    }

    private bool IsBorrowed(WorkerNode node) => !node.IsOwn && _ownAlive > 0;

    private TimeSpan BorrowBackoff(WorkerNode node)
    {
        var backoff = BorrowBackoffMin * Math.Pow(2, Math.Min(node.Refusals++, 10));
        return Jittered(backoff < BorrowBackoffMax ? backoff : BorrowBackoffMax);
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
                node.IsOwn = owners is null || owners.GetValueOrDefault(node.Name) == id;
                if (node.IsOwn) node.Refusals = 0;
                Place(node);
            }

            _borrowed = _nodes.Values.Count(node => node is { IsOwn: false, Current: not null });
            Count();
        }

        _share = new(_nodes.Values.Count(node => node.IsOwn && IsShared(node, now)), orchestrators.Length);
        if (!isSame && _nodes.Count > 0) WorkerTableLog.Shared(logger, _share.Orchestrators, _share.Owned, _nodes.Count);
    }

    /// <summary>This orchestrator, and those that at least half of the workers name that have said something lately.</summary>
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

        return votes is null ? [id] : [.. votes.Where(vote => 2 * vote.Value >= answered).Select(vote => vote.Key).Append(id).Order(StringComparer.Ordinal)];
    }

    // A person's drain is this orchestrator's alone, and others do not know of it.
    private bool IsShared(WorkerNode node, long now) =>
        node is { Removed: false, Leaving: null } && !(node.Quarantined && time.GetElapsedTime(node.QuarantinedAt, now) >= QuarantineCounts);
}

/// <summary>What this orchestrator has of the fleet.</summary>
/// <param name="Owned">Workers of its own.</param>
/// <param name="Orchestrators">Orchestrators that share the fleet, itself included.</param>
internal sealed record Share(int Owned, int Orchestrators);
