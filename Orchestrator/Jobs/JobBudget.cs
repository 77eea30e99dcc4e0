namespace Lab.Orchestrator.Jobs;

/// <summary>
/// Whether there is room for a job: by number and bytes, in all and for its owner, and on the disk. The store's own sums
/// are good for a second, with what has been submitted and has ended here since, unless that would refuse somebody. The
/// store's writer alone asks.
/// </summary>
/// <param name="options">The limits.</param>
/// <param name="time">The clock.</param>
/// <param name="hasOtherKey">Whether anybody but this owner has a key; nobody where it is not given.</param>
/// <param name="disk">Looks at the disk; <c>null</c> where nobody can tell.</param>
internal sealed class JobBudget(JobsOptions options, TimeProvider time, Func<string, bool>? hasOtherKey = null, Func<DiskSpace?>? disk = null)
{
    private const long LargestDefault = 10L << 30;
    private const long SmallestDefault = 64L << 20;

    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Dictionary<string, JobSum> _owners = new(StringComparer.Ordinal);
    private JobSum _all;
    private long _freeBytes = long.MaxValue;
    private long? _countedAt;

    /// <summary>How many bytes of jobs may be kept.</summary>
    public long MaxBytes { get; private set; } = options.MaxBytes ?? LargestDefault;

    /// <summary>What all jobs come to, as last counted, and what has been added since.</summary>
    public JobSum All
    {
        get
        {
            lock (_gate) return new(Math.Max(0, _all.Unfinished), Math.Max(0, _all.UnfinishedBytes), Math.Max(0, _all.Bytes));
        }
    }

    /// <summary>Takes the default from the disk, where nothing is set: a quarter of what is free, or of the jobs already.</summary>
    public void Open(JobSum kept)
    {
        if (options.MaxBytes is not null || disk?.Invoke() is not { } space) return;
        var free = space.Free + kept.Bytes;
        MaxBytes = Math.Max(Math.Min(free / 4, LargestDefault), Math.Min(SmallestDefault, free));
    }

    /// <summary>Which of the jobs there is room for, if they are stored in this order.</summary>
    /// <returns><see cref="SubmissionKind.Created"/> for each that may be stored, or why it may not.</returns>
    public async Task<IReadOnlyList<SubmissionKind>> AdmitAsync(IReadOnlyList<NewJob> jobs, Func<Task<IReadOnlyDictionary<string, JobSum>>> count)
    {
        var isFresh = _countedAt is not { } counted || time.GetElapsedTime(counted) > GoodFor;
        if (isFresh) await CountAsync(count);
        var verdicts = Judge(jobs);
        if (isFresh || verdicts.TrueForAll(verdict => verdict is SubmissionKind.Created)) return verdicts;
        await CountAsync(count);
        return Judge(jobs);
    }

    /// <summary>A job has been stored.</summary>
    public void Stored(NewJob job)
    {
        lock (_gate) Add(_owners, ref _all, job);
    }

    /// <summary>A job has ended; its owner's sum is corrected by the next count.</summary>
    /// <param name="bytes">What its end has added.</param>
    public void Ended(int bytes = 0)
    {
        lock (_gate) _all += new JobSum(-1, 0, bytes);
    }

    /// <summary>Somebody has counted.</summary>
    public void Counted(IReadOnlyDictionary<string, JobSum> owners)
    {
        lock (_gate)
        {
            _owners = new(owners, StringComparer.Ordinal);
            _all = owners.Values.Aggregate(default(JobSum), (sum, own) => sum + own);
        }
    }

    private async Task CountAsync(Func<Task<IReadOnlyDictionary<string, JobSum>>> count)
    {
        Counted(await count());
        _freeBytes = disk?.Invoke() is { } space ? space.Free - space.Floor : long.MaxValue;
        _countedAt = time.GetTimestamp();
    }

    private List<SubmissionKind> Judge(IReadOnlyList<NewJob> jobs)
    {
        lock (_gate)
        {
            if (jobs.Count == 1) return [Judge(_owners, _all, jobs[0])];
            var (owners, all) = (new Dictionary<string, JobSum>(_owners, StringComparer.Ordinal), _all);
            var verdicts = new List<SubmissionKind>(jobs.Count);
            foreach (var job in jobs)
            {
                verdicts.Add(Judge(owners, all, job));
                if (verdicts[^1] is SubmissionKind.Created) Add(owners, ref all, job);
            }

            return verdicts;
        }
    }

    private SubmissionKind Judge(Dictionary<string, JobSum> owners, JobSum all, NewJob job)
    {
        var bytes = job.Bytes;
        // What has been stored since the disk was looked at is on it as well, and on its way there once more.
        if (_freeBytes < 2 * bytes) return SubmissionKind.DiskLow;
        // Half of the bytes is left to what is to come of unfinished jobs.
        if (all.Unfinished >= options.Capacity || all.UnfinishedBytes + bytes > MaxBytes / 2) return SubmissionKind.Full;
        var own = owners.GetValueOrDefault(job.Owner);
        if ((2 * own.Unfinished >= options.Capacity || own.Bytes + bytes > MaxBytes / 2) && HasOthers(owners, job.Owner)) return SubmissionKind.ShareUsed;
        return all.Bytes + bytes > MaxBytes ? SubmissionKind.StoreFull : SubmissionKind.Created;
    }

    private bool HasOthers(Dictionary<string, JobSum> owners, string owner) =>
        hasOtherKey?.Invoke(owner) == true || owners.Any(other => other.Key != owner && other.Value.Bytes > 0);

    private static void Add(Dictionary<string, JobSum> owners, ref JobSum all, NewJob job)
    {
        var sum = JobSum.Of(job);
        all += sum;
        owners[job.Owner] = owners.GetValueOrDefault(job.Owner) + sum;
    }
}
