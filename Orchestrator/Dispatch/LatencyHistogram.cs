namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// How often which time was taken, eight buckets to an octave, so that a percentile is off by a sixteenth at most. Only
/// ever counts up: two copies tell what happened between them, which those of HdrHistogram do not.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int BucketBits = 3;
    private const int MantissaBits = 52;
    private const int ExponentBias = 1023;

    // From 8 µs to 65 s; what lies outside counts as the first or the last.
    private const int LowestExponent = -7;
    private const int HighestExponent = 16;

    private readonly uint[] _counts = new uint[(HighestExponent - LowestExponent) << BucketBits];

    public void Add(double milliseconds) => _counts[IndexOf(milliseconds)]++;

    /// <summary>The counts so far.</summary>
    public uint[] Copy() => (uint[])_counts.Clone();

    /// <summary>The time, in milliseconds, within which a share of what lies between two copies was done; <c>null</c> if nothing was.</summary>
    /// <param name="before">The earlier copy.</param>
    /// <param name="after">The later copy.</param>
    /// <param name="share">More than 0 and at most 1.</param>
    public static double? Percentile(uint[] before, uint[] after, double share)
    {
        long total = 0;
        // Unsigned differences are right also where a count has begun anew from 0.
        for (var i = 0; i < after.Length; i++) total += after[i] - before[i];
        if (total == 0) return null;
        var wanted = Math.Max(1, (long)Math.Ceiling(total * share));
        for (var i = 0; i < after.Length; i++)
        {
            wanted -= after[i] - before[i];
            if (wanted <= 0) return MiddleOf(i);
        }

        return MiddleOf(after.Length - 1);
    }

    // The exponent and the upper bits of the fraction, as they stand in a floating-point number, are the bucket's number.
    private static int IndexOf(double milliseconds)
    {
        var number = (BitConverter.DoubleToInt64Bits(milliseconds) >> (MantissaBits - BucketBits)) - ((long)(ExponentBias + LowestExponent) << BucketBits);
        return (int)Math.Clamp(number, 0, ((HighestExponent - LowestExponent) << BucketBits) - 1);
    }

    private static double MiddleOf(int index) =>
        Math.ScaleB(1 + (((index & ((1 << BucketBits) - 1)) + 0.5) / (1 << BucketBits)), (index >> BucketBits) + LowestExponent);
}
