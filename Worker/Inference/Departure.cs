namespace Lab.Worker.Inference;

/// <summary>Whether this worker's machine is about to go. Once announced it cannot be taken back: there is no more new work, and what is under way is finished.</summary>
internal sealed class Departure
{
    private DepartureNotice? _notice;

    /// <summary>Why and when, or null: nobody has announced anything.</summary>
    public DepartureNotice? Notice => Volatile.Read(ref _notice);

    /// <summary>Says that the machine goes. Only the first notice counts.</summary>
    /// <param name="reason">Why, in a few words, such as <c>spot interruption</c>.</param>
    /// <param name="at">When.</param>
    public void Announce(string reason, DateTimeOffset at) => Interlocked.CompareExchange(ref _notice, new(reason, at), null);
}

/// <summary>That a worker's machine goes.</summary>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="At">When.</param>
internal sealed record DepartureNotice(string Reason, DateTimeOffset At);
