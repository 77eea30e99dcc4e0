using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>
/// What each owner's jobs come to, in a table that the database itself keeps: its triggers also count what another
/// orchestrator, an older version or a person with a shell writes, in the same transaction. Each statement adds a row of
/// its own, so that no two transactions wait for each other; the sweep adds them up.
/// </summary>
internal static class PostgresSums
{
    /// <summary>
    /// Creates the table and its triggers where they are missing, and counts what is there already. The triggers' function
    /// of a version that knew no pairs is replaced; what it has counted stays right, as no row had a pair.
    /// </summary>
    public const string Schema = $"""
        DO $schema$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_proc WHERE oid = to_regproc('lab_jobs_sum') AND prosrc LIKE '%text_pair%') THEN
            CREATE OR REPLACE FUNCTION lab_jobs_sum() RETURNS trigger LANGUAGE plpgsql AS $sum$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    INSERT INTO lab_jobs_kept {SumOfRows} FROM (SELECT {Row} FROM added OFFSET 0) AS change {HavingAny};
                ELSIF TG_OP = 'DELETE' THEN
                    INSERT INTO lab_jobs_kept {SumOfRows} FROM (SELECT {Negative} FROM removed OFFSET 0) AS change {HavingAny};
                ELSE
                    INSERT INTO lab_jobs_kept {SumOfRows} FROM (SELECT {Row} FROM added UNION ALL SELECT {Negative} FROM removed OFFSET 0) AS change {HavingAny};
                END IF;
                RETURN NULL;
            END $sum$;
        END IF;
        IF to_regclass('lab_jobs_kept') IS NULL THEN
            CREATE TABLE lab_jobs_kept (owner text NOT NULL, unfinished bigint NOT NULL, unfinished_bytes bigint NOT NULL, bytes bigint NOT NULL);
            CREATE TRIGGER lab_jobs_inserted AFTER INSERT ON lab_jobs REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION lab_jobs_sum();
            CREATE TRIGGER lab_jobs_deleted AFTER DELETE ON lab_jobs REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION lab_jobs_sum();
            CREATE TRIGGER lab_jobs_updated AFTER UPDATE ON lab_jobs REFERENCING OLD TABLE AS removed NEW TABLE AS added
                FOR EACH STATEMENT EXECUTE FUNCTION lab_jobs_sum();
            {Count};
        END IF;
        END $schema$;
        """;

    // NewJob.RowBytes and the content, as NewJob.Bytes has it.
    private const string Bytes = """
        (1024 + coalesce(octet_length(owner), 0) + coalesce(octet_length(idempotency_key), 0) + coalesce(octet_length(text), 0) + coalesce(octet_length(text_pair), 0)
            + coalesce(octet_length(trace_parent), 0) + coalesce(octet_length(trace_state), 0)
            + coalesce(octet_length(result), 0) + coalesce(octet_length(error), 0))
        """;

    private const string IsOpen = "coalesce(status IN ('queued', 'running'), false)::int";

    private const string Row = $"coalesce(owner, '') AS owner, {IsOpen} AS unfinished, {Bytes} AS bytes";

    private const string Negative = $"coalesce(owner, '') AS owner, -{IsOpen} AS unfinished, -{Bytes} AS bytes";

    // OFFSET 0 keeps PostgreSQL from measuring each row once for every sum.
    private const string SumOfRows = "SELECT owner, sum(unfinished), coalesce(sum(bytes) FILTER (WHERE unfinished <> 0), 0), sum(bytes)";

    private const string HavingAny = "GROUP BY owner HAVING sum(unfinished) <> 0 OR coalesce(sum(bytes) FILTER (WHERE unfinished <> 0), 0) <> 0 OR sum(bytes) <> 0";

    private const string Sum = "SELECT owner, sum(unfinished), sum(unfinished_bytes), sum(bytes)";

    private const string Grouped = "GROUP BY owner HAVING sum(unfinished) <> 0 OR sum(unfinished_bytes) <> 0 OR sum(bytes) <> 0";

    private const string Count = $"INSERT INTO lab_jobs_kept {SumOfRows} FROM (SELECT {Row} FROM lab_jobs OFFSET 0) AS change {HavingAny}";

    /// <summary>The sums by owner.</summary>
    public static async Task<IReadOnlyDictionary<string, JobSum>> ReadAsync(NpgsqlConnection connection) => (await connection.Command(
        "SELECT owner, sum(unfinished)::bigint, sum(unfinished_bytes)::bigint, sum(bytes)::bigint FROM lab_jobs_kept GROUP BY owner")
        .ReadAsync(row => (Owner: row.GetString(0), Sum: new JobSum(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3))), default))
        .ToDictionary(row => row.Owner, row => row.Sum, StringComparer.Ordinal);

    /// <summary>Makes one row for each owner of many, without keeping anybody waiting; sums that cannot be are counted anew.</summary>
    /// <returns>The sums by owner, and whether they were counted anew.</returns>
    public static async Task<(IReadOnlyDictionary<string, JobSum> Sums, bool Recounted)> AddUpAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await connection.Command(
            $"WITH gone AS (DELETE FROM lab_jobs_kept RETURNING *) INSERT INTO lab_jobs_kept {Sum} FROM gone {Grouped}").RunAsync(cancellationToken);
        var sums = await ReadAsync(connection);
        if (!sums.Values.Any(sum => sum.IsImpossible)) return (sums, false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Whoever has written jobs has also added to the sums, and is waited for; whoever comes later waits.
        await connection.Command("LOCK TABLE lab_jobs_kept IN EXCLUSIVE MODE").RunAsync(cancellationToken);
        await connection.Command("DELETE FROM lab_jobs_kept").RunAsync(cancellationToken);
        await connection.Command(Count).RunAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (await ReadAsync(connection), true);
    }
}
