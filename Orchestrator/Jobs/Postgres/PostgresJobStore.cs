using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>
/// Jobs in a PostgreSQL database that several orchestrators share. Rows that another one is just taking are passed
/// over (<c>SKIP LOCKED</c>); what happens to a job is notified to all. While the server is away everything fails
/// with <see cref="JobStoreException"/>, and works again as soon as it is back.
/// </summary>
internal sealed class PostgresJobStore : IJobStore
{
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
    private readonly JobBudget _budget;
    private readonly GroupCommit<NewJob, Submission> _submissions;
    private readonly GroupCommit<(Guid Id, JobEnd End), bool> _ends;
    private bool _checkedForDead;

    /// <summary>Creates the store; nothing is connected before it is opened.</summary>
    /// <param name="options">The settings.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Hears of what goes wrong.</param>
    /// <param name="hasOtherKey">Whether anybody but this owner has a key.</param>
    public PostgresJobStore(JobsOptions options, TimeProvider time, ILogger logger, Func<string, bool>? hasOtherKey = null)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _database = new(options.ConnectionString!);
        _listener = new(_database, _holder, Raise, time, logger);
        _budget = new(options, time, hasOtherKey);
        _submissions = new(MaxSubmissions, new PostgresSubmissions(_database, _holder, _budget, () => Now, options.Retention, Tell).StoreAsync);
        _ends = new(MaxEnds, FinishAsync);
    }

    /// <inheritdoc/>
    public event Action<JobSignal>? Signaled;

    /// <inheritdoc/>
    public JobSum Sum => _budget.All;

    /// <inheritdoc/>
    public long MaxBytes => _budget.MaxBytes;

    /// <summary>How many groups have been committed.</summary>
    public long Commits => _submissions.Commits + _ends.Commits;

    private DateTimeOffset Now => _time.GetUtcNow();

    private DateTimeOffset RetainedSince => Now - _options.Retention;

    /// <inheritdoc/>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        // Waiting clients need no jobs: an orchestrator without its database is better than none.
        var reason = await _database.TryOpenAsync(cancellationToken);
        var listening = _listener.StartAsync();
        if (reason is null) await listening.WaitAsync(cancellationToken);
        else JobLog.Unavailable(_logger, reason);
    }

    /// <inheritdoc/>
    public async Task<Submission> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        var submission = await _submissions.AddAsync(job).WaitAsync(cancellationToken);
        if (submission.Kind is SubmissionKind.Created) Raise(JobSignal.Queued);
        return submission;
    }

    /// <inheritdoc/>
    public async Task<Job?> FindAsync(string owner, Guid id, CancellationToken cancellationToken) =>
        (await FindRowAsync(owner, id, cancellationToken))?.Job;

    /// <inheritdoc/>
    public async Task<CancelKind> CancelAsync(string owner, Guid id, CancellationToken cancellationToken)
    {
        var canceled = await _database.UseAsync(
            connection => connection.Command(
                $"""
                WITH canceled AS (
                    UPDATE lab_jobs SET status = 'canceled', finished_at = $3, holder = NULL, leased_until = NULL
                    WHERE id = $1 AND owner = $2 AND finished_at IS NULL AND status IN ('queued', 'running') RETURNING id)
                SELECT pg_notify('{PostgresListener.Channel}', $4) FROM canceled
                """,
                id, owner, Now, PostgresListener.Payload(_holder, JobSignalKind.Canceled, id.ToString())).ReadAsync(_ => true, cancellationToken),
            cancellationToken);
        if (canceled.Count == 0) return await FindRowAsync(owner, id, cancellationToken) is null ? CancelKind.Unknown : CancelKind.AlreadyFinished;
        _budget.Ended();
        Raise(new(JobSignalKind.Canceled, [id]));
        return CancelKind.Canceled;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeasedJob>> LeaseAsync(int maxJobs, CancellationToken cancellationToken) => _database.UseAsync<IReadOnlyList<LeasedJob>>(
        async connection =>
        {
            // Without its lock the others take this one for dead, and its jobs for theirs. Once it has it, the runner is signaled.
            if (_listener.Age is null) return [];
            await connection.Command($"{Unlease} AND leased_until < $1", Now).RunAsync(cancellationToken);
            var leased = new List<LeasedJob>();
            List<JobRow> rows;
            do
            {
                rows = await connection.Command(
                    $"""
                    WITH next AS (SELECT seq AS place FROM lab_jobs WHERE status = 'queued' ORDER BY seq LIMIT $1 FOR UPDATE SKIP LOCKED)
                    UPDATE lab_jobs SET status = 'running', holder = $2, leased_until = $3 FROM next WHERE seq = place
                    RETURNING {JobRow.Columns}
                    """,
                    maxJobs - leased.Count, _holder, Now + _options.Lease).RowsAsync(Now, cancellationToken);
                Tell(await connection.SetAsideAsync(rows, Now, cancellationToken));
                leased.AddRange(rows.OrderBy(row => row.Seq).Select(row => row.Leased).OfType<LeasedJob>());
            }
            while (leased.Count < maxJobs && rows.Exists(row => row.Leased is null));
            return leased;
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
        _budget.Ended((end.ResultJson?.Length ?? 0) + (end.ErrorJson?.Length ?? 0));
        Raise(new(JobSignalKind.Finished, [id]));
        return true;
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(CancellationToken cancellationToken) => UnleaseAsync(_holder, cancellationToken);

    /// <inheritdoc/>
    public async Task<int> ReleaseAbandonedAsync(CancellationToken cancellationToken)
    {
        // A lease without a holder, until no time at all, or until one that no clock comes to so soon.
        var released = await _database.UseAsync(
            connection => connection.Command(
                $"{Unlease} AND (holder IS NULL OR leased_until IS NULL OR leased_until > $1)", Now + (2 * JobsOptions.MaxLease)).RunAsync(cancellationToken),
            cancellationToken);
        if (_checkedForDead && !(_listener.Age > Grace)) return released;
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
            connection => connection.Command("DELETE FROM lab_jobs WHERE finished_at >= '1970-01-01 00:00Z' AND finished_at < $1 AND coalesce(status, '') NOT IN ('queued', 'running')", RetainedSince).RunAsync(cancellationToken), cancellationToken);
        var overdue = (await _database.UseAsync(
            connection => connection.Command(
                """
                UPDATE lab_jobs SET status = 'failed', error = $1, finished_at = $2, holder = NULL, leased_until = NULL
                WHERE status IN ('queued', 'running') AND submitted_at < $3 RETURNING id
                """,
                JobEnd.OutOfTime(_options.Retention).ErrorJson!, Now, RetainedSince).ReadAsync(row => row.IsDBNull(0) ? (Guid?)null : row.GetGuid(0), cancellationToken),
            cancellationToken)).OfType<Guid>().ToList();
        if (overdue.Count > 0)
        {
            Raise(new(JobSignalKind.Canceled, overdue));
            Raise(new(JobSignalKind.Finished, overdue));
        }

        await _database.UseAsync(connection => SetAstrayAsideAsync(connection, cancellationToken), cancellationToken);
        var (sums, recounted) = await _database.UseAsync(connection => PostgresSums.AddUpAsync(connection, cancellationToken), cancellationToken);
        if (recounted) JobLog.Recounted(_logger);
        _budget.Counted(sums);
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

    private async Task<JobRow?> FindRowAsync(string owner, Guid id, CancellationToken cancellationToken) => await _database.UseAsync(
        async connection =>
        {
            var rows = await connection.Command(
                $"{PostgresRows.Select} WHERE id = $1 AND owner = $2 AND (finished_at IS NULL OR finished_at >= $3)",
                id, owner, RetainedSince).RowsAsync(Now, cancellationToken);
            Tell(await connection.SetAsideAsync(rows, Now, cancellationToken));
            return rows.FirstOrDefault();
        },
        cancellationToken);

    private async Task<int> SetAstrayAsideAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const int Max = 500;
        var all = 0;
        foreach (var astray in (string[])["finished_at IS NULL AND (status IS NULL OR status NOT IN ('queued', 'running'))", "finished_at < '1970-01-01 00:00Z'", "finished_at >= '10000-01-01 00:00Z'"])
        {
            var rows = await connection.Command($"{PostgresRows.Select} WHERE {astray} LIMIT {Max}").RowsAsync(Now, cancellationToken);
            var told = await connection.SetAsideAsync(rows, Now, cancellationToken);
            Tell(told);
            all += told.Count;
        }

        return all;
    }

    private void Tell(IEnumerable<JobRow> rows)
    {
        foreach (var row in rows) JobLog.SetAside(_logger, row.Seq, row.Fault!);
    }

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
