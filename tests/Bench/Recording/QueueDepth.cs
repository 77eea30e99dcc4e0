namespace Lab.Bench.Recording;

/// <summary>
/// How many requests waited for a worker at each millisecond, reconstructed from what each answer says of its own waiting
/// time: exact where sampling a gauge would miss a short run altogether. Who waits less than a millisecond is handed over,
/// and does not queue.
/// </summary>
internal sealed class QueueDepth
{
    // A day of milliseconds would be half a gigabyte: what comes later than this is not drawn.
    private const int LongestMs = 4 * 3600 * 1000;

    private int[] _changes = new int[1024];
    private int _length;

    /// <summary>Takes down that somebody waited.</summary>
    /// <param name="fromMs">Since when, in milliseconds from the beginning of the run.</param>
    /// <param name="untilMs">Until when.</param>
    public void Waited(double fromMs, double untilMs)
    {
        if (untilMs - fromMs < 1) return;
        var from = (int)Math.Clamp(fromMs, 0, LongestMs);
        var until = (int)Math.Clamp(untilMs, from, LongestMs);
        if (until == from) return;
        if (until >= _changes.Length) Array.Resize(ref _changes, Math.Max(until + 1, Math.Min(_changes.Length * 2, LongestMs + 1)));
        _changes[from]++;
        _changes[until]--;
        _length = Math.Max(_length, until + 1);
    }

    /// <summary>The deepest queue and the time for which there was one.</summary>
    public (int Deepest, double DeepestAtSeconds, double QueuedSeconds) Summarize()
    {
        int depth = 0, deepest = 0, at = 0, queued = 0;
        for (var ms = 0; ms < _length; ms++)
        {
            depth += _changes[ms];
            if (depth > 0) queued++;
            if (depth <= deepest) continue;
            (deepest, at) = (depth, ms);
        }

        return (deepest, at / 1000.0, queued / 1000.0);
    }

    /// <summary>The deepest queue within each of so many equal parts of the run.</summary>
    /// <param name="seconds">Length of the run.</param>
    /// <param name="parts">At least 1.</param>
    public IReadOnlyList<(double Seconds, double Depth)> Draw(double seconds, int parts)
    {
        var ms = Math.Max(_length, (int)Math.Ceiling(seconds * 1000));
        parts = Math.Clamp(parts, 1, Math.Max(1, ms));
        var points = new (double, double)[parts];
        int depth = 0, next = 0;
        for (var part = 0; part < parts; part++)
        {
            var end = (int)((long)ms * (part + 1) / parts);
            var deepest = next < _length ? 0 : depth;
            for (; next < end; next++)
            {
                if (next < _length) depth += _changes[next];
                deepest = Math.Max(deepest, depth);
            }

            points[part] = (ms / 1000.0 * part / parts, deepest);
        }

        return points;
    }
}
