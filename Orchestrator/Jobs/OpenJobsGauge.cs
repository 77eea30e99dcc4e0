namespace Lab.Orchestrator.Jobs;

/// <summary>
/// How many jobs are unfinished, without counting them for every submission: a count is good for a second, with what
/// has been submitted and has ended here since, unless that would refuse somebody. The store's writer alone takes room.
/// </summary>
internal sealed class OpenJobsGauge(int capacity, TimeProvider time)
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(1);

    private long _open;
    private long? _countedAt;

    /// <summary>The last count and what has been added since; 0 where more have ended here than were counted.</summary>
    public long Open => Math.Max(0, Volatile.Read(ref _open));

    /// <summary>How many of the wanted jobs there is room for.</summary>
    /// <param name="wanted">How many jobs are to be stored.</param>
    /// <param name="count">Counts the unfinished jobs.</param>
    public async Task<int> RoomAsync(int wanted, Func<Task<long>> count)
    {
        if (_countedAt is not { } counted || time.GetElapsedTime(counted) > GoodFor || _open + wanted > capacity)
        {
            Volatile.Write(ref _open, await count());
            _countedAt = time.GetTimestamp();
        }

        return (int)Math.Clamp(capacity - Open, 0, wanted);
    }

    /// <summary>Jobs have been stored, or, below zero, have ended.</summary>
    public void Add(int jobs) => Interlocked.Add(ref _open, jobs);

    /// <summary>Somebody has counted.</summary>
    public void Counted(long open) => Volatile.Write(ref _open, open);
}
