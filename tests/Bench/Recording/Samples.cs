namespace Lab.Bench.Recording;

/// <summary>One answered request as the pictures show it.</summary>
/// <param name="Seconds">When it was to be sent, from the beginning of the run.</param>
/// <param name="TotalMs">From then to its answer.</param>
/// <param name="QueueMs">Of that in the queue.</param>
/// <param name="InferenceMs">Of that at the worker.</param>
internal readonly record struct Sample(float Seconds, float TotalMs, float QueueMs, float InferenceMs);

/// <summary>
/// Requests for the pictures: all of them up to a limit, beyond it a fair choice (reservoir sampling: Vitter, Algorithm R).
/// Tables are made from histograms, which have every request in them.
/// </summary>
/// <param name="limit">How many are kept.</param>
internal sealed class Samples(int limit)
{
    private readonly List<Sample> _kept = [];
    private readonly Random _random = new(1);
    private long _seen;

    public long Seen => _seen;

    public void Add(in Sample sample)
    {
        _seen++;
        if (_kept.Count < limit)
        {
            _kept.Add(sample);
            return;
        }

        var place = _random.NextInt64(_seen);
        if (place < limit) _kept[(int)place] = sample;
    }

    /// <summary>What was kept, by time.</summary>
    public IReadOnlyList<Sample> Kept() => [.. _kept.OrderBy(sample => sample.Seconds)];
}
