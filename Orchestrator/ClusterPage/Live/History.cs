using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>The last five minutes, second by second.</summary>
internal sealed class History
{
    /// <summary>How many samples are kept, one a second.</summary>
    public const int Length = 300;

    private readonly Sample[] _ring = new Sample[Length];
    private RequestTotals? _before;
    private int _count;

    /// <summary>Adds what has happened since the last snapshot.</summary>
    /// <param name="snapshot">The state now.</param>
    /// <param name="elapsed">The time since the last snapshot.</param>
    public void Add(FleetSnapshot snapshot, TimeSpan elapsed)
    {
        var now = snapshot.Totals;
        var before = _before;
        _before = now;
        if (before is null || elapsed <= TimeSpan.Zero) return;
        _ring[_count++ % Length] = new(
            snapshot.MostQueued,
            (now.Answered - before.Answered) / elapsed.TotalSeconds,
            (now.Failed - before.Failed) / elapsed.TotalSeconds,
            LatencyHistogram.Percentile(before.Queue, now.Queue, 0.5),
            LatencyHistogram.Percentile(before.Inference, now.Inference, 0.5),
            LatencyHistogram.Percentile(before.Total, now.Total, 0.95));
        // Counts on from there, so that it never overflows and still says that all places are taken.
        if (_count == 2 * Length) _count = Length;
    }

    /// <summary>The samples, the oldest first; fewer than <see cref="Length"/> in the first minutes.</summary>
    public Sample[] ToArray() => _count < Length ? _ring[.._count] : [.. _ring[(_count % Length)..], .. _ring[..(_count % Length)]];
}
