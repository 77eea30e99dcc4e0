using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

// What happens within one transaction, and how it is made.
internal sealed partial class SqliteJobStore
{
    private const string Select = $"SELECT {JobRow.Columns} FROM jobs";
    private const string Running = "jobs INDEXED BY jobs_running";
    private const string Unlease = "status = 'queued', holder = NULL, leased_until = NULL";

    // A lease without a holder, until no time at all, or until one that no clock comes to so soon.
    private const string Nobodys = "status = 'running' AND (typeof(holder) <> 'text' OR leased_until IS NULL OR leased_until > $last)";
    private static readonly long LongestLease = (long)(2 * JobsOptions.MaxLease).TotalMilliseconds;

    // It takes as long as the file is large.
    private static readonly TimeSpan ReindexInterval = TimeSpan.FromMinutes(10);

    private long? _reindexedAt;

    private static Guid? IdOf(SqliteDataReader row) => Guid.TryParse(SqliteRows.Value(row, 0) as string, out var id) ? id : null;

    private static List<Guid> Known(List<Guid?> ids) => [.. ids.OfType<Guid>()];

    private long LeasedUntil() => Now + (long)options.Lease.TotalMilliseconds;

    private Task<int> ReleaseAsync(string holder, CancellationToken cancellationToken) => WriteAsync(
        session => Change(session, Running, Unlease, "status = 'running' AND holder = $holder", ("$holder", holder)).Count, cancellationToken);

    private async Task<int> ReleaseNobodysAsync(CancellationToken cancellationToken)
    {
        var last = Now + LongestLease;
        if (Read(session => session.Number($"SELECT count(*) FROM {Running} WHERE {Nobodys}", ("$last", last))) == 0) return 0;
        return await WriteAsync(session => Change(session, Running, Unlease, Nobodys, ("$last", last)).Count, cancellationToken);
    }

    private HashSet<string> Alive()
    {
        try
        {
            return _holder!.Alive();
        }
        catch (Exception e) when (SqliteFile.IsOfTheStore(e))
        {
            throw SqliteFile.Failure("Who else uses the jobs cannot be told", e);
        }
    }

    private async Task<JobRow?> FindRowAsync(string owner, Guid id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var row = Read(session => session.Rows(
            $"{Select} WHERE id = $id AND owner = $owner AND (finished_at IS NULL OR finished_at >= $since)", Now,
            ("$id", id.ToString()), ("$owner", owner), ("$since", RetainedSince)).FirstOrDefault());
        if (row?.Fault is null) return row;
        try
        {
            await WriteAsync(session => SetAside(session, row), cancellationToken);
        }
        catch (JobStoreException)
        {
            // Whoever comes upon it next will try again; what there is to tell is known.
        }

        return row;
    }

    private bool SetAside(SqliteSession session, JobRow row)
    {
        var isNew = session.SetAside(row, Now);
        if (isNew) _setAside.Add((row.Seq, row.Fault ?? "a column holds what is not of its type"));
        return isNew;
    }

    /// <summary>Changes rows; those that their table does not let be changed are set aside.</summary>
    /// <returns>The identities of those that were changed.</returns>
    private List<Guid?> Change(SqliteSession session, string table, string change, string which, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        try
        {
            return session.Query($"UPDATE {table} SET {change} WHERE {which} RETURNING id", IdOf, parameters);
        }
        catch (SqliteException e) when (SqliteFile.IsOfAnotherType(e))
        {
            // Because of one row, whatever it holds elsewhere, the whole statement was refused.
            var changed = new List<Guid?>();
            foreach (var row in session.Rows($"SELECT {JobRow.Columns} FROM {table} WHERE {which}", Now, parameters))
                if (ChangeOne(session, change, "seq = $row", [.. parameters, ("$row", row.Seq)])) changed.Add(row.Id);
            return changed;
        }
    }

    /// <summary>Changes a row, or sets it aside if its table does not let it be changed.</summary>
    private bool ChangeOne(SqliteSession session, string change, string which, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        try
        {
            return session.Execute($"UPDATE jobs SET {change} WHERE {which}", parameters) == 1;
        }
        catch (SqliteException e) when (SqliteFile.IsOfAnotherType(e))
        {
            foreach (var row in session.Rows($"{Select} WHERE {which}", Now, parameters)) SetAside(session, row);
            return false;
        }
    }

    private int SetAstrayAside(SqliteSession session)
    {
        // Text and bytes come after every number.
        var rows = session.Rows($"{Select} WHERE {SqliteFile.IsAstray} LIMIT $max", Now, ("$max", SweepChunk));
        rows.AddRange(session.Rows($"{Select} WHERE finished_at < 0 LIMIT $max", Now, ("$max", SweepChunk)));
        rows.AddRange(session.Rows($"{Select} WHERE finished_at > $last LIMIT $max", Now, ("$last", SqliteRows.MaxTime), ("$max", SweepChunk)));
        return rows.Count(row => row.Fault is not null && SetAside(session, row));
    }

    private Dictionary<string, JobSum> Recount(SqliteSession session)
    {
        JobLog.Recounted(logger);
        return SqliteSums.Read(session);
    }

    private List<LeasedJob> Lease(SqliteSession session, int maxJobs)
    {
        Change(session, Running, Unlease, "status = 'running' AND leased_until < $now", ("$now", Now));
        var leased = new List<LeasedJob>();
        List<JobRow> rows;
        int wanted;
        do
        {
            wanted = maxJobs - leased.Count;
            rows = session.Rows($"{Select} WHERE status = 'queued' ORDER BY seq LIMIT $max", Now, ("$max", wanted));
            foreach (var row in rows)
            {
                if (row.Leased is not { } job)
                {
                    // Neither queued nor damaged, or set aside already: only an index can have said that it is queued.
                    if (row.Fault is null || !SetAside(session, row)) throw SqliteFile.StaleIndex();
                }
                else if (ChangeOne(session, "status = 'running', holder = $holder, leased_until = $until", "seq = $seq",
                    ("$holder", Holder), ("$until", LeasedUntil()), ("$seq", row.Seq))) leased.Add(job);
            }
        }
        while (leased.Count < maxJobs && rows.Count == wanted);
        return leased;
    }

    private Submission Submit(SqliteSession session, NewJob job)
    {
        if (job.IdempotencyKey is { } key && Earlier(session, job, key) is { } earlier) return earlier;
        // Counting does not wait for anything here.
        var verdict = _budget.AdmitAsync([job], () => Task.FromResult<IReadOnlyDictionary<string, JobSum>>(SqliteSums.Read(session))).Result[0];
        if (verdict is not SubmissionKind.Created) return new(verdict);
        session.Execute(
            """
            INSERT INTO jobs (id, owner, idempotency_key, text, text_pair, is_drawn, trace_parent, trace_state, status, submitted_at)
            VALUES ($id, $owner, $key, $text, $pair, $drawn, $parent, $state, 'queued', $now)
            """,
            ("$id", job.Id.ToString()), ("$owner", job.Owner), ("$key", job.IdempotencyKey), ("$text", SqliteSession.Bytes(job.Text)), ("$pair", job.Pair is null ? null : SqliteSession.Bytes(job.Pair)),
            ("$drawn", job.IsGenerated), ("$parent", job.TraceParent), ("$state", job.TraceState),
            ("$now", job.SubmittedAt.ToUnixTimeMilliseconds()));
        _budget.Stored(job);
        return Submission.Created(job);
    }

    private Submission? Earlier(SqliteSession session, NewJob job, string key)
    {
        session.Execute(
            "DELETE FROM jobs WHERE owner = $owner AND idempotency_key = $key AND finished_at >= 0 AND finished_at < $since",
            ("$owner", job.Owner), ("$key", key), ("$since", RetainedSince));
        var row = session.Rows($"{Select} WHERE owner = $owner AND idempotency_key = $key", Now, ("$owner", job.Owner), ("$key", key)).FirstOrDefault();
        if (row?.Fault is not null) SetAside(session, row);
        return row?.Repeat(job);
    }

    private async Task EndOverdueAsync(CancellationToken cancellationToken)
    {
        var overdue = await WriteAsync(session => Known([.. EndOverdue(session, "queued"), .. EndOverdue(session, "running")]), cancellationToken);
        if (overdue.Count == 0) return;
        Signaled?.Invoke(new(JobSignalKind.Canceled, overdue));
        Signaled?.Invoke(new(JobSignalKind.Finished, overdue));
    }

    private List<Guid?> EndOverdue(SqliteSession session, string status) => Change(
        session, $"jobs INDEXED BY jobs_{status}", "status = $status, error = $error, finished_at = $now, holder = NULL, leased_until = NULL",
        $"status = '{status}' AND submitted_at < $since",
        ("$status", JobStatus.Failed.Name()), ("$error", JobEnd.OutOfTime(options.Retention).ErrorJson), ("$now", Now), ("$since", RetainedSince));

    // Some free pages are left for the next jobs to fill: a file that shrinks and grows in turn is written twice.
    private async Task ShrinkAsync(CancellationToken cancellationToken)
    {
        const int Pages = 2000;
        var vacuumed = false;
        while (Read(session => session.Number("PRAGMA freelist_count") * 4 > session.Number("PRAGMA page_count")))
        {
            await WriteAsync(session => session.Query($"PRAGMA incremental_vacuum({Pages})", _ => 0), cancellationToken);
            vacuumed = true;
        }

        // The pages are gone from the file itself only when the log has been carried over into it.
        if (vacuumed) Read(session => session.Query("PRAGMA wal_checkpoint(TRUNCATE)", row => row.GetInt64(0)));
    }

    private T Read<T>(Func<SqliteSession, T> read)
    {
        try
        {
            using var session = new SqliteSession(_path, pooled: true).Open();
            return read(session);
        }
        catch (Exception e) when (SqliteFile.IsOfTheStore(e))
        {
            throw SqliteFile.Failure("Jobs cannot be read", e);
        }
    }

    private async Task<T> WriteAsync<T>(Func<SqliteSession, T> write, CancellationToken cancellationToken) =>
        (T)(await _writer!.AddAsync(session => write(session)).WaitAsync(cancellationToken))!;

    private object?[] Commit(IReadOnlyList<Func<SqliteSession, object?>> group)
    {
        try
        {
            try
            {
                return CommitOnce(group);
            }
            catch (SqliteException e) when (SqliteFile.IsOfAnIndex(e) && !(_reindexedAt is { } at && time.GetElapsedTime(at) < ReindexInterval))
            {
                // A row that is damaged is not found in its indexes, and cannot even be set aside before they are made anew.
                _reindexedAt = time.GetTimestamp();
                JobLog.Reindexed(logger);
                _session!.Execute("REINDEX jobs");
                return CommitOnce(group);
            }
        }
        catch (Exception e) when (SqliteFile.IsOfTheStore(e))
        {
            throw SqliteFile.Failure("Jobs cannot be written", e);
        }
    }

    private object?[] CommitOnce(IReadOnlyList<Func<SqliteSession, object?>> group)
    {
        _session!.Execute("BEGIN IMMEDIATE");
        try
        {
            _setAside.Clear();
            var results = group.Select(write => write(_session)).ToArray();
            _session.Execute("COMMIT");
            foreach (var (seq, fault) in _setAside) JobLog.SetAside(logger, seq, fault);
            return results;
        }
        catch
        {
            RollBack();
            throw;
        }
    }

    private void RollBack()
    {
        try
        {
            _session!.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // A full disk has already rolled it back.
        }
    }
}
