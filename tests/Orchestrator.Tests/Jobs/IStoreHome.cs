using System.Data.Common;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Jobs.Postgres;
using Lab.Orchestrator.Jobs.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>A place where jobs are kept, for one test; several stores may be opened on it.</summary>
internal interface IStoreHome : IAsyncDisposable
{
    /// <summary>The settings with which an orchestrator keeps its jobs here.</summary>
    IReadOnlyList<string> Settings { get; }

    /// <summary>How a person with a shell writes in here.</summary>
    IStoreShell Shell { get; }

    IJobStore Create(JobsOptions options, TimeProvider time, ILogger? logger = null, Func<string, bool>? hasOtherKey = null);

    /// <summary>How many groups the store has committed.</summary>
    long Commits(IJobStore store);

    /// <summary>Keeps every job from being written until it is disposed.</summary>
    Task<IAsyncDisposable> BlockWritesAsync();
}

internal sealed class SqliteHome : IStoreHome
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-jobs-");

    public string Path => System.IO.Path.Combine(_directory.FullName, "jobs.db");

    public IReadOnlyList<string> Settings => [$"--Jobs:Path={Path}"];

    public IStoreShell Shell => new SqliteShell(Path);

    public IJobStore Create(JobsOptions options, TimeProvider time, ILogger? logger = null, Func<string, bool>? hasOtherKey = null)
    {
        options.Path = Path;
        return new SqliteJobStore(options, time, logger ?? NullLogger.Instance, hasOtherKey);
    }

    public long Commits(IJobStore store) => ((SqliteJobStore)store).Commits;

    public async Task<IAsyncDisposable> BlockWritesAsync()
    {
        var connection = new SqliteConnection($"Data Source={Path};Pooling=false");
        await connection.OpenAsync();
        return await Blocking.StartAsync(connection, "BEGIN IMMEDIATE");
    }

    public ValueTask DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}

internal sealed class PostgresHome(string connectionString) : IStoreHome
{
    public IReadOnlyList<string> Settings => ["--Jobs:Provider=postgres", $"--Jobs:ConnectionString={connectionString}"];

    public IStoreShell Shell => new PostgresShell(connectionString);

    public IJobStore Create(JobsOptions options, TimeProvider time, ILogger? logger = null, Func<string, bool>? hasOtherKey = null)
    {
        options.Provider = JobsProvider.Postgres;
        options.ConnectionString = connectionString;
        return new PostgresJobStore(options, time, logger ?? NullLogger.Instance, hasOtherKey);
    }

    public long Commits(IJobStore store) => ((PostgresJobStore)store).Commits;

    public async Task<IAsyncDisposable> BlockWritesAsync()
    {
        var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        return await Blocking.StartAsync(connection, "BEGIN; LOCK TABLE lab_jobs IN SHARE MODE");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A transaction that others wait for.</summary>
internal sealed class Blocking(DbConnection connection) : IAsyncDisposable
{
    public static async Task<IAsyncDisposable> StartAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The callers' texts are constants.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return new Blocking(connection);
    }

    public async ValueTask DisposeAsync()
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "ROLLBACK";
        await command.ExecuteNonQueryAsync();
        await connection.DisposeAsync();
    }
}
