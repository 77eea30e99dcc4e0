using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>
/// Jobs in one SQLite file, with a log written ahead: one writer commits in groups, readers are not kept waiting by it.
/// Several processes may share the file on one machine, as an old and a new one do during an upgrade.
/// </summary>
/// <param name="options">The settings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Hears of rows that cannot be read.</param>
/// <param name="hasOtherKey">Whether anybody but this owner has a key.</param>
/// <param name="disk">Looks at the disk that a directory is on.</param>
internal sealed partial class SqliteJobStore(
    JobsOptions options, TimeProvider time, ILogger logger, Func<string, bool>? hasOtherKey = null, Func<string, DiskSpace?>? disk = null) : IJobStore
{
    private const int MaxGroupSize = 256;
    private const int SweepChunk = 500;

    private readonly string _path = SqliteFile.Locate(options.Path);
    private readonly JobBudget _budget = new(options, time, hasOtherKey, () => (disk ?? DiskSpace.Of)(Path.GetDirectoryName(SqliteFile.Locate(options.Path))!));
    private readonly List<(long Seq, string Fault)> _setAside = [];
    private SqliteSession? _session;
    private SqliteHolder? _holder;
    private GroupCommit<Func<SqliteSession, object?>, object?>? _writer;

    /// <inheritdoc/>
    public event Action<JobSignal>? Signaled;

    /// <inheritdoc/>
    public JobSum Sum => _budget.All;

    /// <inheritdoc/>
    public long MaxBytes => _budget.MaxBytes;

    /// <summary>How many groups have been committed.</summary>
    public long Commits => _writer?.Commits ?? 0;

    private string Holder => _holder!.Name;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private long RetainedSince => Now - (long)options.Retention.TotalMilliseconds;

    /// <inheritdoc/>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        _session = SqliteFile.Open(_path);
        _holder = SqliteHolder.Take(_path);
        _writer = new(MaxGroupSize, group => Task.FromResult<IReadOnlyList<object?>>(Commit(group)));
        _budget.Counted(Read(SqliteSums.TryRead) ?? await WriteAsync(Recount, cancellationToken));
        _budget.Open(_budget.All);
    }

    /// <inheritdoc/>
    public async Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        var submission = await WriteAsync(session => Submit(session, job), cancellationToken);
        if (submission.Kind is SubmissionKind.Created) Signaled?.Invoke(JobSignal.Queued);
        return submission;
    }

    /// <inheritdoc/>
    public async Task<Job?> FindAsync(string owner, Guid id, CancellationToken cancellationToken) =>
        (await FindRowAsync(owner, id, cancellationToken))?.Job;

    /// <inheritdoc/>
    public async Task<CancelKind> CancelAsync(string owner, Guid id, CancellationToken cancellationToken)
    {
        var canceled = await WriteAsync(
            session => ChangeOne(session, "status = 'canceled', finished_at = $now, holder = NULL, leased_until = NULL",
                "id = $id AND owner = $owner AND finished_at IS NULL AND status IN ('queued', 'running')",
                ("$now", Now), ("$id", id.ToString()), ("$owner", owner)),
            cancellationToken);
        if (!canceled) return await FindRowAsync(owner, id, cancellationToken) is null ? CancelKind.Unknown : CancelKind.AlreadyFinished;
        _budget.Ended();
        Signaled?.Invoke(new(JobSignalKind.Canceled, [id]));
        return CancelKind.Canceled;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeasedJob>> LeaseAsync(int maxJobs, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyList<LeasedJob>>(session => Lease(session, maxJobs), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyCollection<Guid>> RenewAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyCollection<Guid>>(
            session => Known(Change(session, "jobs", "leased_until = $until", "status = 'running' AND holder = $holder AND id IN (SELECT value FROM json_each($ids))",
                ("$until", LeasedUntil()), ("$holder", Holder), ("$ids", JsonSerializer.Serialize(ids)))),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> FinishAsync(Guid id, JobEnd end, CancellationToken cancellationToken)
    {
        var (result, error) = (end.ResultJson, end.ErrorJson);
        var finished = await WriteAsync(
            session => ChangeOne(session, "status = $status, result = $result, error = $error, finished_at = $now, holder = NULL, leased_until = NULL",
                "id = $id AND status = 'running' AND holder = $holder",
                ("$status", end.Status.Name()), ("$result", result), ("$error", error), ("$now", Now),
                ("$id", id.ToString()), ("$holder", Holder)),
            cancellationToken);
        if (!finished) return false;
        _budget.Ended((result?.Length ?? 0) + (error?.Length ?? 0));
        Signaled?.Invoke(new(JobSignalKind.Finished, [id]));
        return true;
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(CancellationToken cancellationToken) => ReleaseAsync(Holder, cancellationToken);

    /// <inheritdoc/>
    public async Task<int> ReleaseAbandonedAsync(CancellationToken cancellationToken)
    {
        // Who holds jobs is read before who lives: a process that starts in between holds none of these.
        var holders = Read(session => session.Query("SELECT DISTINCT holder FROM jobs WHERE status = 'running'", row => SqliteRows.Value(row, 0) as string));
        var released = await ReleaseNobodysAsync(cancellationToken);
        if (holders.TrueForAll(holder => holder is null || holder == Holder)) return released;
        var alive = Alive();
        foreach (var dead in holders.Where(holder => holder is not null && !alive.Contains(holder)))
        {
            released += await ReleaseAsync(dead!, cancellationToken);
        }

        return released;
    }

    /// <inheritdoc/>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var all = 0;
        for (var deleted = SweepChunk; deleted == SweepChunk; all += deleted)
        {
            deleted = await WriteAsync(
                session => session.Execute(
                    "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE finished_at >= 0 AND finished_at < $since AND coalesce(status, '') NOT IN ('queued', 'running') ORDER BY finished_at LIMIT $max)",
                    ("$since", RetainedSince), ("$max", SweepChunk)),
                cancellationToken);
        }

        await EndOverdueAsync(cancellationToken);
        await WriteAsync(SetAstrayAside, cancellationToken);
        await ShrinkAsync(cancellationToken);
        _budget.Counted(Read(SqliteSums.TryRead) ?? await WriteAsync(Recount, cancellationToken));
        return all;
    }

    /// <inheritdoc/>
    public override string ToString() => _path;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_writer is not null) await _writer.DisposeAsync();
        _session?.Dispose();
        using (var readers = new SqliteConnection(SqliteSession.ConnectionString(_path, pooled: true))) SqliteConnection.ClearPool(readers);
        _holder?.Dispose();
    }
}
