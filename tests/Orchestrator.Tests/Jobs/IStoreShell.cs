using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>A store of jobs as a person with a shell sees and writes it: past the store, and past what its tables allow.</summary>
internal interface IStoreShell
{
    /// <summary>The table of jobs; that of the sums has <c>_kept</c> at its end.</summary>
    string Jobs { get; }

    /// <summary>What does not belong into a column, as SQL; a value of its own for each <paramref name="number"/>.</summary>
    IReadOnlyList<(string Column, string Value)> Damages(int number);

    /// <summary>A text as a job's row has it, as SQL.</summary>
    string Bytes(string text);

    /// <summary>A time as a job's row has it, as SQL.</summary>
    string Time(DateTimeOffset time);

    /// <summary>Writes where nothing checks types or what must not be missing.</summary>
    Task DamageAsync(IEnumerable<string> statements);

    Task ExecuteAsync(string sql);

    Task<List<object?[]>> QueryAsync(string sql);

    /// <summary>From now on a job of this owner cannot be inserted.</summary>
    Task RefuseOwnerAsync(string owner);

    /// <summary>From now on no job can succeed.</summary>
    Task RefuseSuccessAsync();

    /// <summary>Leaves what a version had that knew no sums.</summary>
    Task ForgetSumsAsync();

    /// <summary>Leaves what a version had that knew no pairs of texts.</summary>
    Task ForgetPairsAsync();
}

internal abstract class StoreShell(Func<DbConnection> connect) : IStoreShell
{
    public abstract string Jobs { get; }

    public abstract IReadOnlyList<(string Column, string Value)> Damages(int number);

    public abstract string Bytes(string text);

    public abstract string Time(DateTimeOffset time);

    public abstract Task DamageAsync(IEnumerable<string> statements);

    public abstract Task RefuseOwnerAsync(string owner);

    public abstract Task RefuseSuccessAsync();

    public abstract Task ForgetSumsAsync();

    public abstract Task ForgetPairsAsync();

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = connect();
        await connection.OpenAsync();
        await using var command = CommandOf(connection, sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<List<object?[]>> QueryAsync(string sql)
    {
        await using var connection = connect();
        await connection.OpenAsync();
        await using var command = CommandOf(connection, sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object?[]>();
        while (await reader.ReadAsync()) rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))]);
        return rows;
    }

    private static DbCommand CommandOf(DbConnection connection, string sql)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own texts.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }
}

internal sealed class SqliteShell(string path) : StoreShell(() => new SqliteConnection($"Data Source={path};Pooling=false"))
{
    private static readonly string[] Columns =
        ["id", "owner", "idempotency_key", "text", "text_pair", "is_drawn", "trace_parent", "trace_state", "status", "holder", "leased_until", "result", "error", "submitted_at", "finished_at"];

    public override string Jobs => "jobs";

    public override IReadOnlyList<(string Column, string Value)> Damages(int number)
    {
        string[] values =
        [
            "NULL", $"'x{number}'", $"x'ff{number:x8}'", $"CAST(x'ff{number:x8}' AS TEXT)", $"{number}", $"{number}.5", $"{long.MaxValue - number}", $"{long.MinValue + number}",
            $"'{{{number}'", $"'null{new string(' ', number)}'", $"'[{number}]'", $"'{{}}{new string(' ', number)}'", $"''||{number}||char(0)",
        ];
        return [.. Columns.SelectMany(column => values.Select(value => (column, value)))];
    }

    public override string Bytes(string text) => $"CAST('{text}' AS BLOB)";

    public override string Time(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    public override async Task DamageAsync(IEnumerable<string> statements)
    {
        const string Loose = "CREATE TABLE jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id UNIQUE, owner, idempotency_key, text, is_drawn, trace_parent, trace_state, status, holder, leased_until, result, error, submitted_at, finished_at, text_pair)";
        var strict = (string)(await QueryAsync("SELECT sql FROM sqlite_schema WHERE name = 'jobs'"))[0][0]!;
        await ExecuteAsync(Schema(Loose));
        await ExecuteAsync($"BEGIN; {string.Join(';', statements)}; COMMIT");
        await ExecuteAsync(Schema(strict));
    }

    public override Task RefuseOwnerAsync(string owner) =>
        ExecuteAsync($"CREATE TRIGGER refuse BEFORE INSERT ON jobs WHEN new.owner = '{owner}' BEGIN SELECT RAISE(ABORT, 'refused'); END");

    public override Task RefuseSuccessAsync() =>
        ExecuteAsync("CREATE TRIGGER refuse BEFORE UPDATE ON jobs WHEN new.status = 'succeeded' BEGIN SELECT RAISE(ABORT, 'refused'); END");

    public override Task ForgetSumsAsync() =>
        ExecuteAsync("DROP TRIGGER jobs_kept_insert; DROP TRIGGER jobs_kept_update; DROP TRIGGER jobs_kept_end; DROP TRIGGER jobs_kept_delete; DROP TABLE jobs_kept");

    public override async Task ForgetPairsAsync()
    {
        var triggers = await QueryAsync("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
        foreach (var trigger in triggers) await ExecuteAsync($"DROP TRIGGER {trigger[0]}");
        await ExecuteAsync("ALTER TABLE jobs DROP COLUMN text_pair");
        foreach (var trigger in triggers)
            await ExecuteAsync(Regex.Replace((string)trigger[1]!, @"coalesce\(octet_length\(\w+\.text_pair\), 0\) \+ |text_pair, ", ""));
    }

    private static string Schema(string sql) =>
        $"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{sql.Replace("'", "''", StringComparison.Ordinal)}' WHERE name = 'jobs'; PRAGMA writable_schema = RESET";
}

internal sealed class PostgresShell(string connectionString) : StoreShell(() => new NpgsqlConnection(connectionString + ";Pooling=false"))
{
    public override string Jobs => "lab_jobs";

    public override IReadOnlyList<(string Column, string Value)> Damages(int number)
    {
        string[] times = ["NULL", "'infinity'", "'-infinity'", "'294276-01-01 00:00Z'", "'4713-01-01 00:00Z BC'", "'1969-12-31 00:00Z'", "'10000-01-01 00:00Z'"];
        string[] json = ["NULL", "'x'", "'{'", "'null'", "'[]'", "'{}'", "'\"text\"'", """'{"label":5}'""", """'{"status":1,"title":"t","detail":"d"}'"""];
        return
        [
            ("id", "NULL"), ("id", "'00000000-0000-0000-0000-000000000000'"), ("owner", "NULL"), ("owner", $"'x{number}'"), ("idempotency_key", $"'x{number}'"),
            ("text", "NULL"), ("text", "'\\xff'"), ("text_pair", "'\\xff'"), ("is_drawn", "NULL"), ("trace_parent", "'x'"), ("trace_state", "'x'"),
            ("status", "NULL"), ("status", "'x'"), ("status", "'canceled'"), ("holder", "NULL"), ("holder", "''"),
            .. times.SelectMany(time => new[] { ("leased_until", time), ("submitted_at", time), ("finished_at", time) }),
            .. json.SelectMany(value => new[] { ("result", value), ("error", value) }),
        ];
    }

    public override string Bytes(string text) => $"convert_to('{text}', 'UTF8')";

    public override string Time(DateTimeOffset time) => $"'{time:O}'";

    public override async Task DamageAsync(IEnumerable<string> statements)
    {
        foreach (var column in (string[])["id", "owner", "text", "is_drawn", "status", "submitted_at"])
            await ExecuteAsync($"ALTER TABLE lab_jobs ALTER COLUMN {column} DROP NOT NULL");
        await ExecuteAsync(string.Join(';', statements));
    }

    public override Task RefuseOwnerAsync(string owner) => ExecuteAsync($"ALTER TABLE lab_jobs ADD CONSTRAINT refuse CHECK (owner <> '{owner}')");

    public override Task RefuseSuccessAsync() => ExecuteAsync("ALTER TABLE lab_jobs ADD CONSTRAINT refuse CHECK (status <> 'succeeded') NOT VALID");

    public override Task ForgetSumsAsync() => ExecuteAsync("DROP FUNCTION lab_jobs_sum CASCADE; DROP TABLE lab_jobs_kept");

    public override async Task ForgetPairsAsync()
    {
        var body = (string)(await QueryAsync("SELECT prosrc FROM pg_proc WHERE proname = 'lab_jobs_sum'"))[0][0]!;
        var older = Regex.Replace(body, @"coalesce\(octet_length\(text_pair\), 0\)\s*\+\s*", "");
        await ExecuteAsync($"CREATE OR REPLACE FUNCTION lab_jobs_sum() RETURNS trigger LANGUAGE plpgsql AS $sum${older}$sum$; ALTER TABLE lab_jobs DROP COLUMN text_pair");
    }
}
