using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

// What happens within one transaction, and how it is made.
internal sealed partial class SqliteJobStore
{
    private const string Columns = "id, status, text, result, error, submitted_at, finished_at";

    private static Job ToJob(SqliteDataReader row) => Job.Stored(
        row.GetGuid(0),
        row.GetString(1),
        SqliteSession.Text(row, 2),
        OrNull(row, 3),
        OrNull(row, 4),
        Time(row.GetInt64(5)),
        row.IsDBNull(6) ? null : Time(row.GetInt64(6)));

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static string? OrNull(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static long Count(SqliteSession session) => session.Number(
        "SELECT (SELECT count(*) FROM jobs WHERE status = 'queued') + (SELECT count(*) FROM jobs WHERE status = 'running')");

    private long LeasedUntil() => Now + (long)options.Lease.TotalMilliseconds;

    private Submission Submit(SqliteSession session, NewJob job)
    {
        if (job.IdempotencyKey is { } key && Earlier(session, job, key) is { } earlier) return earlier;
        // Counting does not wait for anything here.
        if (_open.RoomAsync(1, () => Task.FromResult(Count(session))).Result == 0) return Submission.Full;
        session.Execute(
            """
            INSERT INTO jobs (id, owner, idempotency_key, text, is_drawn, trace_parent, trace_state, status, submitted_at)
            VALUES ($id, $owner, $key, $text, $drawn, $parent, $state, 'queued', $now)
            """,
            ("$id", job.Id.ToString()), ("$owner", job.Owner), ("$key", job.IdempotencyKey), ("$text", SqliteSession.Bytes(job.Text)),
            ("$drawn", job.IsGenerated), ("$parent", job.TraceParent), ("$state", job.TraceState),
            ("$now", job.SubmittedAt.ToUnixTimeMilliseconds()));
        _open.Add(1);
        return Submission.Created(job);
    }

    private Submission? Earlier(SqliteSession session, NewJob job, string key)
    {
        session.Execute(
            "DELETE FROM jobs WHERE owner = $owner AND idempotency_key = $key AND finished_at < $since",
            ("$owner", job.Owner), ("$key", key), ("$since", RetainedSince));
        return session.Query(
            $"SELECT {Columns}, is_drawn FROM jobs WHERE owner = $owner AND idempotency_key = $key",
            row => job.IsSameRequestAs(SqliteSession.Text(row, 2), row.GetBoolean(7))
                ? new Submission(SubmissionKind.Repeated, ToJob(row))
                : Submission.KeyReused,
            ("$owner", job.Owner), ("$key", key)).FirstOrDefault();
    }

    private CancelKind Cancel(SqliteSession session, string owner, Guid id)
    {
        var canceled = session.Execute(
            """
            UPDATE jobs SET status = 'canceled', finished_at = $now, holder = NULL, leased_until = NULL
            WHERE id = $id AND owner = $owner AND finished_at IS NULL
            """,
            ("$now", Now), ("$id", id.ToString()), ("$owner", owner));
        if (canceled == 1) return CancelKind.Canceled;
        return session.Number(
            "SELECT count(*) FROM jobs WHERE id = $id AND owner = $owner AND finished_at >= $since",
            ("$id", id.ToString()), ("$owner", owner), ("$since", RetainedSince)) == 1 ? CancelKind.AlreadyFinished : CancelKind.Unknown;
    }

    private async Task EndOverdueAsync(CancellationToken cancellationToken)
    {
        var overdue = await WriteAsync(
            session => session.Query(
                """
                UPDATE jobs SET status = $status, error = $error, finished_at = $now, holder = NULL, leased_until = NULL
                WHERE status IN ('queued', 'running') AND submitted_at < $since RETURNING id
                """,
                row => row.GetGuid(0),
                ("$status", JobStatus.Failed.Name()), ("$error", JobEnd.OutOfTime(options.Retention).ErrorJson),
                ("$now", Now), ("$since", RetainedSince)),
            cancellationToken);
        if (overdue.Count == 0) return;
        Signaled?.Invoke(new(JobSignalKind.Canceled, overdue));
        Signaled?.Invoke(new(JobSignalKind.Finished, overdue));
    }

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
        catch (SqliteException e)
        {
            throw new JobStoreException($"Jobs cannot be read: {SqliteFile.Explain(e)}", e);
        }
    }

    private async Task<T> WriteAsync<T>(Func<SqliteSession, T> write, CancellationToken cancellationToken) =>
        (T)(await _writer!.AddAsync(session => write(session)).WaitAsync(cancellationToken))!;

    private object?[] Commit(IReadOnlyList<Func<SqliteSession, object?>> group)
    {
        try
        {
            _session!.Execute("BEGIN IMMEDIATE");
            try
            {
                var results = group.Select(write => write(_session)).ToArray();
                _session.Execute("COMMIT");
                return results;
            }
            catch
            {
                RollBack();
                throw;
            }
        }
        catch (SqliteException e)
        {
            throw new JobStoreException($"Jobs cannot be written: {SqliteFile.Explain(e)}", e);
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
