using System.Diagnostics.Metrics;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>How many requests were answered a second in the last minute, and how fast: for whoever looks once and cannot wait a minute to compare.</summary>
internal sealed class LastMinute
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly Queue<(long At, long Answered, uint[] Times)> _samples = new();
    private Traffic _latest = new(0, null);

    /// <param name="meters">Where the gauges are made.</param>
    /// <param name="time">The clock of the snapshots.</param>
    public LastMinute(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(DispatchMetrics.MeterName);
        meter.CreateObservableGauge("lab.last_minute.requests_per_second", () => Volatile.Read(ref _latest).PerSecond, description: "Requests answered a second, over the last minute.");
        meter.CreateObservableGauge("lab.last_minute.p99", () => (Measurement<double>[])(Volatile.Read(ref _latest).P99 is { } p99 ? [new(p99.TotalSeconds)] : []), "s",
            "The time within which 99 of 100 requests of the last minute were answered; absent where there was none.");
    }

    /// <summary>What the last minute was like, as of the last snapshot.</summary>
    public Traffic Latest => Volatile.Read(ref _latest);

    /// <summary>Adds a snapshot; to be called by one at a time.</summary>
    public void Add(FleetSnapshot snapshot)
    {
        _samples.Enqueue((snapshot.At, snapshot.Totals.Answered, snapshot.Totals.Total));
        // One of a minute ago, or the oldest where it has not run so long.
        while (_samples.Count > 2 && _time.GetElapsedTime(_samples.ElementAt(1).At, snapshot.At) >= Window) _samples.Dequeue();
        var (at, answered, times) = _samples.Peek();
        var elapsed = _time.GetElapsedTime(at, snapshot.At);
        if (elapsed <= TimeSpan.Zero) return;
        var p99 = LatencyHistogram.Percentile(times, snapshot.Totals.Total, 0.99);
        Volatile.Write(ref _latest, new((snapshot.Totals.Answered - answered) / elapsed.TotalSeconds, p99 is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null));
    }
}

/// <summary>What a minute was like.</summary>
/// <param name="PerSecond">Requests answered a second.</param>
/// <param name="P99">The time within which 99 of 100 of them were, or null: there was none.</param>
internal sealed record Traffic(double PerSecond, TimeSpan? P99);
