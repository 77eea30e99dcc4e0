namespace Lab.AppHost.LocalHost;

/// <summary>How long LocalHost waits for what; tests shorten it.</summary>
internal sealed record Timing
{
    /// <summary>From one look at an unready resource's health to the next, at first.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The same, when it has been unready for long.</summary>
    public TimeSpan LongestProbeInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>For one answer to such a look.</summary>
    public TimeSpan ProbeTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Until an unready resource is complained about, and from complaint to complaint.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Until the first restart of a crashed resource; doubled by each further crash.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What doubling stops at.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After running this long a crash counts as the first.</summary>
    public TimeSpan Stable { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Ctrl-C reaches the services as early as the AppHost: their ends in this time are no crashes.</summary>
    public TimeSpan CrashDoubt { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>From SIGTERM to SIGKILL.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The wait before the next look at a resource that has been unready for so long: a tenth of it, within the limits.</summary>
    public TimeSpan NextProbe(TimeSpan unready)
        => TimeSpan.FromTicks(Math.Clamp(unready.Ticks / 10, ProbeInterval.Ticks, LongestProbeInterval.Ticks));

    /// <summary>The wait before a restart.</summary>
    /// <param name="crashes">Crashes in a row, at least 1.</param>
    public TimeSpan Backoff(int crashes)
        => FirstBackoff * Math.Pow(2, Math.Min(crashes - 1, 30)) is var wait && wait < LongestBackoff ? wait : LongestBackoff;
}
