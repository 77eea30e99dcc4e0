namespace Lab.Worker.Inference;

/// <summary>Whether this worker will soon be gone. Whoever learns of it announces it here, and orchestrators are told.</summary>
internal sealed class Departure
{
    private DepartureNotice? _notice;

    /// <summary>The last announcement; <c>null</c> before the first.</summary>
    public DepartureNotice? Notice => Volatile.Read(ref _notice);

    /// <summary>Announces that the worker will be gone: it finishes its work, and orchestrators give it no more.</summary>
    /// <param name="reason">Why, in a few words.</param>
    /// <param name="at">When.</param>
    public void Announce(string reason, DateTimeOffset at) => Volatile.Write(ref _notice, new(reason, at));
}

/// <summary>That a worker will be gone.</summary>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="At">When.</param>
internal sealed record DepartureNotice(string Reason, DateTimeOffset At);
