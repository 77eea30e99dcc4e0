namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>
/// What each owner's jobs come to, in a table that the file itself keeps: its triggers also count what another process,
/// an older version or a person with a shell writes, in the same transaction.
/// </summary>
internal static class SqliteSums
{
    private static readonly string[] Counted = ["owner", "idempotency_key", "text", "text_pair", "trace_parent", "trace_state", "result", "error"];

    private const int TriggerCount = 4;

    private const string Sum = "unfinished = unfinished + excluded.unfinished, unfinished_bytes = unfinished_bytes + excluded.unfinished_bytes, bytes = bytes + excluded.bytes";

    /// <summary>
    /// Creates the table and its triggers where they are missing, and counts what is there already. Triggers of a version
    /// that knew no pairs are made anew; what they have counted stays right, as no row had a pair.
    /// </summary>
    public static void Prepare(SqliteSession session)
    {
        if (session.Number("SELECT count(*) FROM sqlite_schema WHERE name = 'jobs_kept'") == 1)
        {
            if (session.Number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'jobs_kept_%' AND sql LIKE '%text_pair%'") == TriggerCount) return;
            session.Execute("DROP TRIGGER IF EXISTS jobs_kept_insert; DROP TRIGGER IF EXISTS jobs_kept_delete; DROP TRIGGER IF EXISTS jobs_kept_end; DROP TRIGGER IF EXISTS jobs_kept_update");
            session.Execute(Triggers);
            return;
        }

        session.Execute("""
            CREATE TABLE jobs_kept (
                owner TEXT NOT NULL PRIMARY KEY,
                unfinished INTEGER NOT NULL,
                unfinished_bytes INTEGER NOT NULL,
                bytes INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID;
            """);
        session.Execute(Triggers);
        Recount(session);
    }

    /// <summary>Counts every row.</summary>
    public static void Recount(SqliteSession session)
    {
        session.Execute("DELETE FROM jobs_kept");
        session.Execute(
            $"""
            INSERT INTO jobs_kept (owner, unfinished, unfinished_bytes, bytes)
            SELECT {OwnerOf("jobs")}, sum({IsOpen("jobs")}), sum({IsOpen("jobs")} * {BytesOf("jobs")}), sum({BytesOf("jobs")}) FROM jobs GROUP BY 1
            """);
    }

    /// <summary>The sums by owner, or <c>null</c> where they cannot be.</summary>
    public static Dictionary<string, JobSum>? TryRead(SqliteSession session)
    {
        var sums = new Dictionary<string, JobSum>(StringComparer.Ordinal);
        var rows = session.Query("SELECT owner, unfinished, unfinished_bytes, bytes FROM jobs_kept",
            row => (Owner: row.GetValue(0) as string, Unfinished: row.GetValue(1) as long?, OpenBytes: row.GetValue(2) as long?, Bytes: row.GetValue(3) as long?));
        foreach (var row in rows)
        {
            if (row is not { Owner: { } owner, Unfinished: { } unfinished, OpenBytes: { } openBytes, Bytes: { } bytes }) return null;
            var sum = new JobSum(unfinished, openBytes, bytes);
            if (sum.IsImpossible) return null;
            // An owner's name that is no UTF-8 may read like another.
            sums[owner] = sums.GetValueOrDefault(owner) + sum;
        }

        return sums;
    }

    /// <summary>The sums by owner; those that cannot be are counted anew.</summary>
    public static Dictionary<string, JobSum> Read(SqliteSession session)
    {
        if (TryRead(session) is { } sums) return sums;
        Recount(session);
        return TryRead(session)!;
    }

    private static string Triggers => $"""
        CREATE TRIGGER jobs_kept_insert AFTER INSERT ON jobs BEGIN
            {Added};
        END;
        CREATE TRIGGER jobs_kept_delete AFTER DELETE ON jobs BEGIN
            {Removed};
        END;
        -- A lease changes the status alone, and costs no more than the question whether the job has ended.
        CREATE TRIGGER jobs_kept_end AFTER UPDATE OF status ON jobs
        WHEN {IsOpen("old")} <> {IsOpen("new")} AND {OwnerOf("old")} = {OwnerOf("new")} BEGIN
            UPDATE jobs_kept SET
                unfinished = unfinished + {IsOpen("new")} - {IsOpen("old")},
                unfinished_bytes = unfinished_bytes + {IsOpen("new")} * {BytesOf("new")} - {IsOpen("old")} * {BytesOf("old")},
                bytes = bytes + {BytesOf("new")} - {BytesOf("old")}
            WHERE owner = {OwnerOf("new")};
        END;
        CREATE TRIGGER jobs_kept_update AFTER UPDATE OF owner, idempotency_key, text, text_pair, trace_parent, trace_state, result, error ON jobs
        WHEN {OwnerOf("old")} <> {OwnerOf("new")} OR ({IsOpen("old")} = {IsOpen("new")} AND {BytesOf("old")} <> {BytesOf("new")}) BEGIN
            {Removed};
            {Added};
        END;
        """;

    private static string Added =>
        $"INSERT INTO jobs_kept (owner, unfinished, unfinished_bytes, bytes) VALUES ({OwnerOf("new")}, {IsOpen("new")}, {IsOpen("new")} * {BytesOf("new")}, {BytesOf("new")}) ON CONFLICT (owner) DO UPDATE SET {Sum}";

    private static string Removed =>
        $"UPDATE jobs_kept SET unfinished = unfinished - {IsOpen("old")}, unfinished_bytes = unfinished_bytes - {IsOpen("old")} * {BytesOf("old")}, bytes = bytes - {BytesOf("old")} WHERE owner = {OwnerOf("old")}";

    private static string OwnerOf(string row) => $"CAST(coalesce({row}.owner, '') AS TEXT)";

    private static string IsOpen(string row) => $"({row}.status IS 'queued' OR {row}.status IS 'running')";

    private static string BytesOf(string row) => $"({NewJob.RowBytes} + " + string.Join(" + ",
        Counted.Select(column => $"coalesce(octet_length({row}.{column}), 0)")) + ")";
}
