using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What a worker says of itself and of who shares it, checked: one alone is believed of itself only.</summary>
/// <param name="Orchestrators">Whom it has heard of lately, each once and in order.</param>
/// <param name="Busy">In what time it will be free; <c>null</c> if it computes nothing or does not tell.</param>
/// <param name="Idle">For how long it has computed nothing; <c>null</c> if it computes or does not tell.</param>
/// <param name="Leaving">Why it will be gone, in words that are fit for logs; <c>null</c> as long as it stays.</param>
internal sealed record PresenceReport(IReadOnlyList<string> Orchestrators, TimeSpan? Busy = null, TimeSpan? Idle = null, string? Leaving = null)
{
    /// <summary>The longest reason that is kept, in characters.</summary>
    public const int MaxReason = 100;

    /// <summary>What a worker means that knows of no such question: nobody shares it.</summary>
    public static PresenceReport Alone { get; } = new([]);

    /// <summary>Takes what a worker has answered.</summary>
    /// <returns><c>null</c> if it can be none.</returns>
    public static PresenceReport? Of(Presence? presence)
    {
        // Whatever the type says, a member that was left out is null.
        if (presence is not { Orchestrators: { Count: <= Presence.MaxOrchestrators } ids } || !ids.All(OrchestratorId.IsValid)) return null;
        if (presence.BusyMs is { } busy && !double.IsFinite(busy)) return null;
        if (presence.IdleMs is { } idle && !double.IsFinite(idle)) return null;
        if (presence.Leaving is { Reason: null }) return null;
        return new(
            [.. ids.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            presence.BusyMs is { } ms ? BusyTime(ms) : null,
            presence.IdleMs is { } idleMs ? TimeSpan.FromMilliseconds(Math.Clamp(idleMs, 0, DispatchHeaders.MaxBusyMs)) : null,
            presence.Leaving is { } leaving ? WorkerWords.Plain(leaving.Reason, MaxReason) : null);
    }

    /// <summary>How long a worker is left alone that says for how long it is busy.</summary>
    /// <param name="milliseconds">What it says.</param>
    public static TimeSpan BusyTime(double milliseconds) => TimeSpan.FromMilliseconds(Math.Clamp(milliseconds, 1, DispatchHeaders.MaxBusyMs));

    /// <summary>Whether another names the same orchestrators.</summary>
    public bool NamesTheSame(PresenceReport? other) => other is not null && Orchestrators.SequenceEqual(other.Orchestrators, StringComparer.Ordinal);
}
