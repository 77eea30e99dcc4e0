namespace Lab.Orchestrator.Dispatch;

/// <summary>Completions per second over the last ten seconds, for <c>Retry-After</c>.</summary>
internal sealed class CompletionRate(TimeProvider time)
{
    private const int Seconds = 10;
    private readonly long[] _counts = new long[Seconds];
    private readonly long _start = time.GetTimestamp();
    private long _second;

    public void Add()
    {
        Advance();
        _counts[_second % Seconds]++;
    }

    /// <summary>0 when nothing completed lately; before ten seconds have passed, over the seconds there were.</summary>
    public double PerSecond()
    {
        Advance();
        var elapsed = Math.Clamp(time.GetElapsedTime(_start).TotalSeconds, 1, Seconds);
        return _counts.Sum() / elapsed;
    }

    private void Advance()
    {
        var now = (long)time.GetElapsedTime(_start).TotalSeconds;
        for (var missed = Math.Min(now - _second, Seconds); missed > 0; missed--)
            _counts[(now - missed + 1) % Seconds] = 0;
        _second = now;
    }
}
