using HdrHistogram;

namespace Lab.Bench.Recording;

/// <summary>Times with three significant digits, from 1 µs to ten minutes.</summary>
internal sealed class Times
{
    private const long LongestMicroseconds = 600_000_000;
    private const int Digits = 3;

    private readonly LongHistogram _histogram = new(LongestMicroseconds, Digits);
    private double _sumMs;

    public long Count => _histogram.TotalCount;

    /// <summary>Takes down one time, in milliseconds.</summary>
    public void Record(double ms)
    {
        _histogram.RecordValue(Math.Clamp((long)Math.Round(ms * 1000), 0, LongestMicroseconds));
        _sumMs += ms;
    }

    /// <summary>The time that so many percent do not exceed, in milliseconds; 0 where there is none.</summary>
    public double Percentile(double percent) => Count == 0 ? 0 : _histogram.GetValueAtPercentile(percent) / 1000.0;

    /// <summary>The usual percentiles.</summary>
    public TimeSummary Summarize() => new(
        Count, Count == 0 ? 0 : _sumMs / Count, Percentile(50), Percentile(90), Percentile(95), Percentile(99), Percentile(100));

    /// <summary>The distribution: at each time the share (0 to 1) of requests that took no longer.</summary>
    public IReadOnlyList<(double Ms, double Share)> Distribution()
    {
        var points = new List<(double, double)>();
        long below = 0;
        foreach (var value in _histogram.RecordedValues())
        {
            below += value.CountAtValueIteratedTo;
            points.Add((value.ValueIteratedTo / 1000.0, (double)below / Count));
        }

        return points;
    }
}

/// <summary>Times of many requests, in milliseconds.</summary>
/// <param name="Count">How many there were.</param>
/// <param name="Mean">The arithmetic mean.</param>
/// <param name="P50">The median.</param>
/// <param name="P90">What 90 % did not exceed.</param>
/// <param name="P95">What 95 % did not exceed.</param>
/// <param name="P99">What 99 % did not exceed.</param>
/// <param name="Max">The longest.</param>
internal sealed record TimeSummary(long Count, double Mean, double P50, double P90, double P95, double P99, double Max);
