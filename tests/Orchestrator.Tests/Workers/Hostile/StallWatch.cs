using System.Diagnostics;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>Sees for how long at a time this process gets no processor.</summary>
internal sealed class StallWatch : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;
    private long _longestTicks;

    public StallWatch() => _watching = WatchAsync();

    /// <summary>How much later than asked for this process has gone on, at worst.</summary>
    public TimeSpan Longest => new(Interlocked.Read(ref _longestTicks));

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            await Task.Delay(Interval, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var late = Stopwatch.GetElapsedTime(started) - Interval;
            if (late > Longest) Interlocked.Exchange(ref _longestTicks, late.Ticks);
        }
    }
}
