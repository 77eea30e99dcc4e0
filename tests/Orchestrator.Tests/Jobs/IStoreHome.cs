using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Jobs.Postgres;
using Lab.Orchestrator.Jobs.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>A place where jobs are kept, for one test; several stores may be opened on it.</summary>
internal interface IStoreHome : IAsyncDisposable
{
    /// <summary>The settings with which an orchestrator keeps its jobs here.</summary>
    IReadOnlyList<string> Settings { get; }

    IJobStore Create(JobsOptions options, TimeProvider time);

    /// <summary>How many groups the store has committed.</summary>
    long Commits(IJobStore store);
}

internal sealed class SqliteHome : IStoreHome
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("lab-jobs-");

    public string Path => System.IO.Path.Combine(_directory.FullName, "jobs.db");

    public IReadOnlyList<string> Settings => [$"--Jobs:Path={Path}"];

    public IJobStore Create(JobsOptions options, TimeProvider time)
    {
        options.Path = Path;
        return new SqliteJobStore(options, time);
    }

    public long Commits(IJobStore store) => ((SqliteJobStore)store).Commits;

    public ValueTask DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}

internal sealed class PostgresHome(string connectionString) : IStoreHome
{
    public IReadOnlyList<string> Settings => ["--Jobs:Provider=postgres", $"--Jobs:ConnectionString={connectionString}"];

    public IJobStore Create(JobsOptions options, TimeProvider time)
    {
        options.Provider = JobsProvider.Postgres;
        options.ConnectionString = connectionString;
        return new PostgresJobStore(options, time, NullLogger.Instance);
    }

    public long Commits(IJobStore store) => ((PostgresJobStore)store).Commits;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
