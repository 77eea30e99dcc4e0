namespace Lab.Worker.Inference;

/// <summary>
/// Whether this worker will soon be gone. Whoever learns of it announces it here, and orchestrators are told. It cannot be
/// taken back: the worker takes no more work, and finishes what is under way.
/// </summary>
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
