namespace Lab.Bench.Recording;

/// <summary>The memory of a cluster's processes during a run.</summary>
/// <param name="Processes">The orchestrator first, then workers by name, then others.</param>
/// <param name="NotWatched">Processes whose memory nobody told from the beginning.</param>
internal sealed record SoakResult(IReadOnlyList<ProcessMemory> Processes, IReadOnlyList<string> NotWatched)
{
    /// <summary>Whether nothing grew, and nobody was gone at the end.</summary>
    public bool IsFlat => Processes.Count > 0 && Processes.All(process => process.IsFlat && !process.IsGone);
}

/// <summary>The memory of one process during a run, and whether it grew.</summary>
/// <param name="Name">Such as <c>worker-1</c>.</param>
/// <param name="Kind">What the process is.</param>
/// <param name="Points">Working sets by the time since the run's beginning.</param>
/// <param name="IsGone">Whether it no longer told its memory at the end.</param>
internal sealed record ProcessMemory(string Name, ProcessKind Kind, IReadOnlyList<MemoryPoint> Points, bool IsGone)
{
    /// <summary>
    /// So much of a run's time is warming up: code is compiled, buffers and tables are filled for the first time.
    /// </summary>
    public const double WarmUpShare = 1.0 / 3;

    // A rise below this is less than what one garbage collection gives back.
    private const double FlatShare = 0.02;
    private const double FlatMegabytes = 2;

    /// <summary>The working set when the warm-up is over, in MB.</summary>
    public double First => After[0].Megabytes;

    /// <summary>The median after the warm-up.</summary>
    public double Median => MedianOf(After.Select(point => point.Megabytes));

    /// <summary>The most at any time.</summary>
    public double Most => Points.Max(point => point.Megabytes);

    /// <summary>
    /// By how many MB it rose after the warm-up: the slope by Theil and Sen, the median of the slopes between all pairs of
    /// points, which garbage collections and single outliers do not move (Sen, JASA 63, 1968), times the time.
    /// </summary>
    public double Rise => Slope * (After[^1].Seconds - After[0].Seconds);

    /// <summary>The same in MB an hour.</summary>
    public double RisePerHour => Slope * 3600;

    /// <summary>Whether it rose by no more than 2 % of its median, or 2 MB.</summary>
    public bool IsFlat => Rise <= Math.Max(FlatMegabytes, FlatShare * Median);

    private double Slope
    {
        get
        {
            var after = After;
            var slopes = new List<double>();
            for (var i = 0; i < after.Count; i++)
                for (var j = i + 1; j < after.Count; j++)
                    slopes.Add((after[j].Megabytes - after[i].Megabytes) / (after[j].Seconds - after[i].Seconds));
            return slopes.Count == 0 ? 0 : MedianOf(slopes);
        }
    }

    private IReadOnlyList<MemoryPoint> After
    {
        get
        {
            var from = Points[^1].Seconds * WarmUpShare;
            return [.. Points.SkipWhile(point => point.Seconds < from)];
        }
    }

    private static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}

/// <summary>A working set.</summary>
/// <param name="Seconds">Since the run's beginning.</param>
/// <param name="Megabytes">In units of 1,000,000 bytes.</param>
internal readonly record struct MemoryPoint(double Seconds, double Megabytes);

/// <summary>What a watched process is.</summary>
internal enum ProcessKind { Orchestrator, Worker, Other }
