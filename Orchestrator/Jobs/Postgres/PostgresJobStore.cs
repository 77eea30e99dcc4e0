using System.Text;
using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>
/// Jobs in a PostgreSQL database that several orchestrators share. Rows that another one is just taking are passed
/// over (<c>SKIP LOCKED</c>); what happens to a job is notified to all. While the server is away everything fails
/// with <see cref="JobStoreException"/>, and works again as soon as it is back.
/// </summary>
internal sealed class PostgresJobStore : IJobStore
{
    /// <summary>What <see cref="ToJob"/> reads.</summary>
    public const string Columns = "id, status, text, result, error, submitted_at, finished_at";

    private const int MaxSubmissions = 256;

    // Their identities must fit into one notification, which has less than 8000 bytes.
    private const int MaxEnds = 200;

    private const string Unlease = "UPDATE lab_jobs SET status = 'queued', holder = NULL, leased_until = NULL WHERE status = 'running'";

    // So long after the server was away, a holder without its lock may be one that is just coming back.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly JobsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _holder = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}";
    private readonly PostgresDatabase _database;
    private readonly PostgresListener _listener;
    private readonly OpenJobsGauge _open;
    private readonly GroupCommit<NewJob, Submission> _submissions;
    private readonly GroupCommit<(Guid Id, JobEnd End), bool> _ends;
    private bool _checkedForDead;

    public PostgresJobStore(JobsOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _database = new(options.ConnectionString!);
        _listener = new(_database, _holder, Raise, time, logger);
        _open = new(options.Capacity, time);
        _submissions = new(MaxSubmissions, new PostgresSubmissions(_database, _holder, _open, () => RetainedSince).StoreAsync);
        _ends = new(MaxEnds, FinishAsync);
    }

    /// <inheritdoc/>
    public event Action<JobSignal>? Signaled;

    /// <inheritdoc/>
    public long OpenJobs => _open.Open;

    /// <summary>How many groups have been committed.</summary>
    public long Commits => _submissions.Commits + _ends.Commits;

    private DateTimeOffset Now => _time.GetUtcNow();

    private DateTimeOffset RetainedSince => Now - _options.Retention;

    /// <inheritdoc/>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        // Waiting clients need no jobs: an orchestrator without its database is better than none.
        if (await _database.TryOpenAsync(cancellationToken) is { } reason) JobLog.Unavailable(_logger, reason);
        _listener.Start();
    }

    /// <inheritdoc/>
    public async Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        var submission = await _submissions.AddAsync(job).WaitAsync(cancellationToken);
        if (submission.Kind is SubmissionKind.Created) Raise(JobSignal.Queued);
        return submission;
    }

    /// <inheritdoc/>
    public Task<Job?> FindAsync(string owner, Guid id, CancellationToken cancellationToken) => _database.UseAsync(
        async connection => (await connection.Command(
            $"SELECT {Columns} FROM lab_jobs WHERE id = $1 AND owner = $2 AND (finished_at IS NULL OR finished_at >= $3)",
            id, owner, RetainedSince).ReadAsync(ToJob, cancellationToken)).FirstOrDefault(),
        cancellationToken);

    /// <inheritdoc/>
    public async Task<CancelKind> CancelAsync(string owner, Guid id, CancellationToken cancellationToken)
    {
        var kind = await _database.UseAsync(
            async connection =>
            {
                var canceled = await connection.Command(
                    $"""
                    WITH canceled AS (
                        UPDATE lab_jobs SET status = 'canceled', finished_at = $3, holder = NULL, leased_until = NULL
                        WHERE id = $1 AND owner = $2 AND finished_at IS NULL RETURNING id)
                    SELECT pg_notify('{PostgresListener.Channel}', $4) FROM canceled
                    """,
                    id, owner, Now, PostgresListener.Payload(_holder, JobSignalKind.Canceled, id.ToString())).ReadAsync(_ => true, cancellationToken);
                if (canceled.Count == 1) return CancelKind.Canceled;
                var finished = await connection.Command(
                    "SELECT 1 FROM lab_jobs WHERE id = $1 AND owner = $2 AND finished_at >= $3", id, owner, RetainedSince).ReadAsync(_ => true, cancellationToken);
                return finished.Count == 1 ? CancelKind.AlreadyFinished : CancelKind.Unknown;
            },
            cancellationToken);
        if (kind is not CancelKind.Canceled) return kind;
        _open.Add(-1);
        Raise(new(JobSignalKind.Canceled, [id]));
        return kind;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeasedJob>> LeaseAsync(int maxJobs, CancellationToken cancellationToken) => _database.UseAsync<IReadOnlyList<LeasedJob>>(
        async connection =>
        {
            await connection.Command($"{Unlease} AND leased_until < $1", Now).RunAsync(cancellationToken);
            var leasing = connection.Command(
                """
                WITH next AS (SELECT seq FROM lab_jobs WHERE status = 'queued' ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
                UPDATE lab_jobs SET status = 'running', holder = $2, leased_until = $3 FROM next WHERE lab_jobs.seq = next.seq
                RETURNING lab_jobs.seq, id, text, submitted_at, trace_parent, trace_state
                """,
                maxJobs, _holder, Now + _options.Lease);
            var jobs = await leasing.ReadAsync(row => (Seq: row.GetInt64(0), Job: new LeasedJob(
                    row.GetGuid(1), TextOf(row, 2), row.GetFieldValue<DateTimeOffset>(3), OrNull(row, 4), OrNull(row, 5))), cancellationToken);
            return [.. jobs.OrderBy(leased => leased.Seq).Select(leased => leased.Job)];
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyCollection<Guid>> RenewAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        _database.UseAsync<IReadOnlyCollection<Guid>>(
            async connection => await connection.Command(
                "UPDATE lab_jobs SET leased_until = $1 WHERE status = 'running' AND holder = $2 AND id = ANY ($3) RETURNING id",
                Now + _options.Lease, _holder, ids.ToArray()).ReadAsync(row => row.GetGuid(0), cancellationToken),
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> FinishAsync(Guid id, JobEnd end, CancellationToken cancellationToken)
    {
        var finished = await _ends.AddAsync((id, end)).WaitAsync(cancellationToken);
        if (!finished) return false;
        _open.Add(-1);
        Raise(new(JobSignalKind.Finished, [id]));
        return true;
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(CancellationToken cancellationToken) => UnleaseAsync(_holder, cancellationToken);

    /// <inheritdoc/>
    public async Task<int> ReleaseAbandonedAsync(CancellationToken cancellationToken)
    {
        if (_checkedForDead && !(_listener.Age > Grace)) return 0;
        var released = 0;
        var others = await _database.UseAsync(
            connection => connection.Command(
                "SELECT DISTINCT holder FROM lab_jobs WHERE status = 'running' AND holder <> $1", _holder).ReadAsync(row => row.GetString(0), cancellationToken),
            cancellationToken);
        foreach (var other in others) released += await UnleaseIfDeadAsync(other, cancellationToken);
        _checkedForDead = true;
        return released;
    }

    /// <inheritdoc/>
    public async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var deleted = await _database.UseAsync(
            connection => connection.Command("DELETE FROM lab_jobs WHERE finished_at < $1", RetainedSince).RunAsync(cancellationToken), cancellationToken);
        var overdue = await _database.UseAsync(
            connection => connection.Command(
                """
                UPDATE lab_jobs SET status = 'failed', error = $1, finished_at = $2, holder = NULL, leased_until = NULL
                WHERE status IN ('queued', 'running') AND submitted_at < $3 RETURNING id
                """,
                JobEnd.OutOfTime(_options.Retention).ErrorJson!, Now, RetainedSince).ReadAsync(row => row.GetGuid(0), cancellationToken),
            cancellationToken);
        if (overdue.Count > 0)
        {
            Raise(new(JobSignalKind.Canceled, overdue));
            Raise(new(JobSignalKind.Finished, overdue));
        }

        _open.Counted(await _database.UseAsync(PostgresSubmissions.CountAsync, cancellationToken));
        return deleted;
    }

    /// <inheritdoc/>
    public override string ToString() => _database.Where;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _submissions.DisposeAsync();
        await _ends.DisposeAsync();
        await _listener.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>The job in a row of <see cref="Columns"/>.</summary>
    public static Job ToJob(NpgsqlDataReader row) => Job.Stored(
        row.GetGuid(0),
        row.GetString(1),
        TextOf(row, 2),
        OrNull(row, 3),
        OrNull(row, 4),
        row.GetFieldValue<DateTimeOffset>(5),
        row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6));

    // Bytes, since PostgreSQL's own text has no U+0000.
    private static string TextOf(NpgsqlDataReader row, int column) => Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(column));

    private static string? OrNull(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private Task<IReadOnlyList<bool>> FinishAsync(IReadOnlyList<(Guid Id, JobEnd End)> ends) => _database.UseAsync<IReadOnlyList<bool>>(
        async connection =>
        {
            var finishing = connection.Command(
                $"""
                WITH finished AS (
                    UPDATE lab_jobs SET status = new.status, result = new.result, error = new.error, finished_at = $5, holder = NULL, leased_until = NULL
                    FROM unnest($1, $2, $3, $4) AS new (id, status, result, error)
                    WHERE lab_jobs.id = new.id AND lab_jobs.status = 'running' AND holder = $6 RETURNING lab_jobs.id)
                SELECT array_agg(id), pg_notify('{PostgresListener.Channel}', $7 || string_agg(id::text, ' ')) FROM finished HAVING count(*) > 0
                """,
                ends.Select(end => end.Id).ToArray(), ends.Select(end => end.End.Status.Name()).ToArray(),
                ends.Select(end => end.End.ResultJson).ToArray(), ends.Select(end => end.End.ErrorJson).ToArray(),
                Now, _holder, PostgresListener.Payload(_holder, JobSignalKind.Finished) + " ");
            var finished = await finishing.ReadAsync(row => row.GetFieldValue<Guid[]>(0), CancellationToken.None);
            var ids = finished.SelectMany(some => some).ToHashSet();
            // Of an identity that is twice in the group only the first one was the end.
            return [.. ends.Select(end => ids.Remove(end.Id))];
        },
        CancellationToken.None);

    private Task<int> UnleaseIfDeadAsync(string holder, CancellationToken cancellationToken) => _database.UseAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            var isDead = (await connection.Command(
                $"SELECT pg_try_advisory_xact_lock({PostgresListener.LockKey})", holder).ReadAsync(row => row.GetBoolean(0), cancellationToken))[0];
            var released = isDead ? await connection.Command($"{Unlease} AND holder = $1", holder).RunAsync(cancellationToken) : 0;
            await transaction.CommitAsync(cancellationToken);
            return released;
        },
        cancellationToken);

    private Task<int> UnleaseAsync(string holder, CancellationToken cancellationToken) => _database.UseAsync(
        async connection =>
        {
            var released = await connection.Command($"{Unlease} AND holder = $1", holder).RunAsync(cancellationToken);
            if (released > 0)
            {
                await connection.Command($"SELECT pg_notify('{PostgresListener.Channel}', $1)",
                    PostgresListener.Payload(holder, JobSignalKind.Queued)).RunAsync(cancellationToken);
            }

            return released;
        },
        cancellationToken);

    private void Raise(JobSignal signal) => Signaled?.Invoke(signal);
}
