using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>Reads rows whatever is in them, and sets aside those that are no jobs.</summary>
internal static class PostgresRows
{
    /// <summary>A query of <see cref="JobRow.Columns"/>, up to its condition.</summary>
    public const string Select = $"SELECT {JobRow.Columns} FROM lab_jobs";

    // What PostgreSQL counts its microseconds from.
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly long MaxMicroseconds = (DateTimeOffset.MaxValue - Epoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The rows that a query of <see cref="JobRow.Columns"/> gives.</summary>
    public static Task<List<JobRow>> RowsAsync(this NpgsqlCommand command, DateTimeOffset now, CancellationToken cancellationToken) =>
        command.ReadAsync(row => new JobRow(column => Value(row, column), now), cancellationToken);

    /// <summary>Sets aside those of the rows that cannot be read.</summary>
    /// <returns>Those that were not set aside before.</returns>
    public static async Task<List<JobRow>> SetAsideAsync(this NpgsqlConnection connection, IEnumerable<JobRow> rows, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var told = new List<JobRow>();
        foreach (var row in rows.Where(row => row.Fault is not null))
        {
            var changed = await connection.Command(
                """
                UPDATE lab_jobs SET status = 'damaged', holder = NULL, leased_until = NULL,
                    finished_at = CASE WHEN finished_at BETWEEN '1970-01-01 00:00Z' AND $1 AND status NOT IN ('queued', 'running') THEN finished_at ELSE $1 END
                WHERE seq = $2 AND (status IS DISTINCT FROM 'damaged' OR $3)
                """,
                now, row.Seq, row.IsSetAside).RunAsync(cancellationToken);
            if (changed == 1 && !row.IsSetAside) told.Add(row);
        }

        return told;
    }

    private static object? Value(NpgsqlDataReader row, int column)
    {
        try
        {
            if (row.IsDBNull(column)) return null;
            // The number behind a time is read: not every time of PostgreSQL's is one of .NET's.
            return column is < JobRow.FirstTime or > JobRow.LastTime ? row.GetValue(column) : TimeOf(row.GetFieldValue<long>(column));
        }
        catch (Exception e) when (e is InvalidCastException or OverflowException or FormatException or ArgumentException)
        {
            return JobRow.Unreadable;
        }
    }

    private static object TimeOf(long microseconds) =>
        microseconds < -MaxMicroseconds || microseconds > MaxMicroseconds ? JobRow.Unreadable : Epoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
