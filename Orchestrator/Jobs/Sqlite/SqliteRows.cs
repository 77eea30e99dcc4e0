using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>Reads rows whatever is in them, and sets aside those that are no jobs.</summary>
internal static class SqliteRows
{
    /// <summary>The largest time that is one, in milliseconds.</summary>
    public static readonly long MaxTime = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    // Makes every column what its table wants, or a file whose table is STRICT would refuse to set the row aside at all;
    // what is of the right type stays as it is.
    private const string Update = """
        UPDATE jobs SET
            status = 'damaged', holder = NULL, leased_until = NULL,
            finished_at = CASE WHEN typeof(finished_at) = 'integer' AND finished_at BETWEEN 0 AND $now AND status NOT IN ('queued', 'running') THEN finished_at ELSE $now END,
            id = CASE WHEN typeof(id) = 'text' THEN id ELSE 'damaged-' || seq END,
            owner = CASE WHEN typeof(owner) = 'text' THEN owner ELSE '' END,
            idempotency_key = CASE WHEN typeof(owner) = 'text' AND typeof(idempotency_key) = 'text' THEN idempotency_key END,
            text = CASE WHEN typeof(text) = 'blob' THEN text ELSE CAST(coalesce(text, '') AS BLOB) END,
            text_pair = CASE WHEN typeof(text_pair) = 'blob' THEN text_pair ELSE CAST(text_pair AS BLOB) END,
            is_drawn = CASE WHEN typeof(is_drawn) = 'integer' THEN is_drawn ELSE 0 END,
            trace_parent = CASE WHEN typeof(trace_parent) = 'text' THEN trace_parent END,
            trace_state = CASE WHEN typeof(trace_state) = 'text' THEN trace_state END,
            result = CASE WHEN typeof(result) = 'text' THEN result ELSE CAST(result AS TEXT) END,
            error = CASE WHEN typeof(error) = 'text' THEN error ELSE CAST(error AS TEXT) END,
            submitted_at = CASE WHEN typeof(submitted_at) = 'integer' THEN submitted_at ELSE 0 END
        WHERE seq = $seq
        """;

    /// <summary>The rows that a query of <see cref="JobRow.Columns"/> gives.</summary>
    public static List<JobRow> Rows(this SqliteSession session, string sql, long now, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(now);
        return session.Query(sql, row => new JobRow(column => Value(row, column), at), parameters);
    }

    /// <summary>Sets a row aside that cannot be read.</summary>
    /// <returns>Whether it was not set aside before.</returns>
    public static bool SetAside(this SqliteSession session, JobRow row, long now)
    {
        var isNew = session.Number("SELECT count(*) FROM jobs WHERE seq = $seq AND status IS NOT 'damaged'", ("$seq", row.Seq)) == 1;
        if (isNew || row.IsSetAside) session.Execute(Update, ("$now", now), ("$seq", row.Seq));
        return isNew;
    }

    /// <summary>What is in a column: text only if it is UTF-8.</summary>
    public static object? Value(SqliteDataReader row, int column)
    {
        if (row.IsDBNull(column)) return null;
        return row.GetFieldType(column) == typeof(string)
            ? StrictText.Of(row.GetFieldValue<byte[]>(column)) ?? JobRow.Unreadable
            : row.GetValue(column);
    }
}
