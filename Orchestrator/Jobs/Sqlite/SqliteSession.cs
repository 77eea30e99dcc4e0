using System.Data;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>One connection and the statements prepared on it. Used by one thread at a time.</summary>
internal sealed class SqliteSession(string path, bool pooled) : IDisposable
{
    // As long as another process on the same file, on a busy disk, may keep a writer waiting.
    private const int BusySeconds = 10;

    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);
    private readonly SqliteConnection _connection = new(ConnectionString(path, pooled));

    public static string ConnectionString(string path, bool pooled) => new SqliteConnectionStringBuilder
    {
        DataSource = path,
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = pooled,
        DefaultTimeout = BusySeconds,
    }.ToString();

    public SqliteSession Open()
    {
        _connection.Open();
        // SQLite itself asks again after a millisecond and then ever later; the library only every 150 ms, and comes too late each time.
        Execute($"PRAGMA busy_timeout = {1000 * BusySeconds}");
        return this;
    }

    /// <summary>Runs a statement to its end.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) => Bind(sql, parameters).ExecuteNonQuery();

    /// <summary>Every row, made into something.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var reader = Bind(sql, parameters).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(row(reader));
        return rows;
    }

    /// <summary>The one number that a statement gives.</summary>
    public long Number(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) => Query(sql, row => row.GetInt64(0), parameters)[0];

    public void Dispose()
    {
        foreach (var command in _prepared.Values) command.Dispose();
        _connection.Dispose();
    }

    /// <summary>UTF-8: what SQLite takes as text it would cut short at U+0000.</summary>
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(IDataRecord row, int column) => Encoding.UTF8.GetString((byte[])row.GetValue(column));

    private SqliteCommand Bind(string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
#pragma warning disable CA2100 // Every caller's text is a constant of this folder.
            command.CommandText = sql;
#pragma warning restore CA2100
            _prepared.Add(sql, command);
        }

        command.Parameters.Clear();
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
