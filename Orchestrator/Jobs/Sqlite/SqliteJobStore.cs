using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>
/// Jobs in one SQLite file, with a log written ahead: one writer commits in groups, readers are not kept waiting by it.
/// Several processes may share the file on one machine, as an old and a new one do during an upgrade.
/// </summary>
internal sealed partial class SqliteJobStore(JobsOptions options, TimeProvider time) : IJobStore
{
    private const int MaxGroupSize = 256;
    private const int SweepChunk = 500;

    private readonly OpenJobsGauge _open = new(options.Capacity, time);
    private readonly string _path = SqliteFile.Locate(options.Path);
    private SqliteSession? _session;
    private SqliteHolder? _holder;
    private GroupCommit<Func<SqliteSession, object?>, object?>? _writer;

    /// <inheritdoc/>
    public event Action<JobSignal>? Signaled;

    /// <inheritdoc/>
    public long OpenJobs => _open.Open;

    /// <summary>How many groups have been committed.</summary>
    public long Commits => _writer?.Commits ?? 0;

    private string Holder => _holder!.Name;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private long RetainedSince => Now - (long)options.Retention.TotalMilliseconds;

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        _session = SqliteFile.Open(_path);
        _holder = SqliteHolder.Take(_path);
        _writer = new(MaxGroupSize, group => Task.FromResult<IReadOnlyList<object?>>(Commit(group)));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        var submission = await WriteAsync(session => Submit(session, job), cancellationToken);
        if (submission.Kind is SubmissionKind.Created) Signaled?.Invoke(JobSignal.Queued);
        return submission;
    }

    /// <inheritdoc/>
    public Task<Job?> FindAsync(string owner, Guid id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Read(session => session.Query(
            $"SELECT {Columns} FROM jobs WHERE id = $id AND owner = $owner AND (finished_at IS NULL OR finished_at >= $since)",
            ToJob, ("$id", id.ToString()), ("$owner", owner), ("$since", RetainedSince)).FirstOrDefault()));
    }

    /// <inheritdoc/>
    public async Task<CancelKind> CancelAsync(string owner, Guid id, CancellationToken cancellationToken)
    {
        var kind = await WriteAsync(session => Cancel(session, owner, id), cancellationToken);
        if (kind is not CancelKind.Canceled) return kind;
        _open.Add(-1);
        Signaled?.Invoke(new(JobSignalKind.Canceled, [id]));
        return kind;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeasedJob>> LeaseAsync(int maxJobs, CancellationToken cancellationToken) => WriteAsync<IReadOnlyList<LeasedJob>>(
        session =>
        {
            session.Execute(
                "UPDATE jobs SET status = 'queued', holder = NULL, leased_until = NULL WHERE status = 'running' AND leased_until < $now",
                ("$now", Now));
            var jobs = session.Query(
                "SELECT seq, id, text, submitted_at, trace_parent, trace_state FROM jobs WHERE status = 'queued' ORDER BY seq LIMIT $max",
                row => (Seq: row.GetInt64(0), Job: new LeasedJob(
                    row.GetGuid(1), SqliteSession.Text(row, 2), Time(row.GetInt64(3)), OrNull(row, 4), OrNull(row, 5))),
                ("$max", maxJobs));
            foreach (var (seq, _) in jobs)
            {
                session.Execute(
                    "UPDATE jobs SET status = 'running', holder = $holder, leased_until = $until WHERE seq = $seq",
                    ("$holder", Holder), ("$until", LeasedUntil()), ("$seq", seq));
            }

            return [.. jobs.Select(leased => leased.Job)];
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyCollection<Guid>> RenewAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        WriteAsync<IReadOnlyCollection<Guid>>(
            session => session.Query(
                """
                UPDATE jobs SET leased_until = $until
                WHERE status = 'running' AND holder = $holder AND id IN (SELECT value FROM json_each($ids)) RETURNING id
                """,
                row => row.GetGuid(0),
                ("$until", LeasedUntil()), ("$holder", Holder), ("$ids", JsonSerializer.Serialize(ids))),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> FinishAsync(Guid id, JobEnd end, CancellationToken cancellationToken)
    {
        var finished = await WriteAsync(
            session => session.Execute(
                """
                UPDATE jobs SET status = $status, result = $result, error = $error, finished_at = $now, holder = NULL, leased_until = NULL
                WHERE id = $id AND status = 'running' AND holder = $holder
                """,
                ("$status", end.Status.Name()), ("$result", end.ResultJson), ("$error", end.ErrorJson), ("$now", Now),
                ("$id", id.ToString()), ("$holder", Holder)) == 1,
            cancellationToken);
        if (!finished) return false;
        _open.Add(-1);
        Signaled?.Invoke(new(JobSignalKind.Finished, [id]));
        return true;
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(CancellationToken cancellationToken) => WriteAsync(
        session => session.Execute(
            "UPDATE jobs SET status = 'queued', holder = NULL, leased_until = NULL WHERE status = 'running' AND holder = $holder",
            ("$holder", Holder)),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<int> ReleaseAbandonedAsync(CancellationToken cancellationToken)
    {
        // Who holds jobs is read before who lives: a process that starts in between holds none of these.
        var holders = Read(session => session.Query("SELECT DISTINCT holder FROM jobs WHERE status = 'running'", row => row.GetString(0)));
        if (holders.All(holder => holder == Holder)) return 0;
        var alive = _holder!.Alive();
        var released = 0;
        foreach (var dead in holders.Where(holder => !alive.Contains(holder)))
        {
            released += await WriteAsync(
                session => session.Execute(
                    "UPDATE jobs SET status = 'queued', holder = NULL, leased_until = NULL WHERE status = 'running' AND holder = $holder",
                    ("$holder", dead)),
                cancellationToken);
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
                    "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs WHERE finished_at < $since ORDER BY finished_at LIMIT $max)",
                    ("$since", RetainedSince), ("$max", SweepChunk)),
                cancellationToken);
        }

        await EndOverdueAsync(cancellationToken);
        await ShrinkAsync(cancellationToken);
        _open.Counted(Read(Count));
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
