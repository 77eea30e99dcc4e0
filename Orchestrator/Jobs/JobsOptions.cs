namespace Lab.Orchestrator.Jobs;

/// <summary>Where jobs are kept.</summary>
public enum JobsProvider
{
    /// <summary>In one file beside the orchestrator.</summary>
    Sqlite,

    /// <summary>In a PostgreSQL database that several orchestrators may share.</summary>
    Postgres,
}

/// <summary>The section <c>Jobs</c> of the configuration. Every value has a default that works.</summary>
public sealed class JobsOptions
{
    /// <summary>The longest that <see cref="Lease"/> may be.</summary>
    public static readonly TimeSpan MaxLease = TimeSpan.FromHours(1);

    /// <summary>The section's name.</summary>
    public const string Section = "Jobs";

    /// <summary>Where jobs are kept.</summary>
    public JobsProvider Provider { get; set; } = JobsProvider.Sqlite;

    /// <summary>
    /// The SQLite file; <c>null</c> for <c>lab/jobs.db</c> in the user's directory for state
    /// (<c>$XDG_STATE_HOME</c>, else <c>~/.local/state</c>; XDG Base Directory Specification).
    /// </summary>
    public string? Path { get; set; }

    /// <summary>The PostgreSQL database, in Npgsql's form: <c>Host=…;Database=…;Username=…;Password=…</c>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// How long a result is kept after its job has finished, and how long a job may wait to be finished,
    /// 1 second to 365 days.
    /// </summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How many unfinished jobs may be kept, 1 to 100,000,000; the next one is refused with 429.</summary>
    public int Capacity { get; set; } = 100_000;

    /// <summary>
    /// How many bytes all jobs may take up, finished ones too, 65,536 or more; unfinished ones half of that. <c>null</c>
    /// for 10 GiB, in a SQLite file for no more than a quarter of what was free on its disk, but 64 MiB if so much was.
    /// </summary>
    public long? MaxBytes { get; set; }

    /// <summary>
    /// How long an orchestrator that has fallen silent keeps the jobs it was running, 1 second to an hour. It renews
    /// them three times as often. One that is known to be dead loses them sooner.
    /// </summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How many jobs may wait in the dispatcher's queue or be computed at once, 1 to 10,000; never more than half of what the queue takes.</summary>
    public int Window { get; set; } = 64;

    /// <summary>The first thing wrong with the values, or <c>null</c>.</summary>
    public string? FirstError() => this switch
    {
        { Provider: not (JobsProvider.Sqlite or JobsProvider.Postgres) } => Text(nameof(Provider), "sqlite or postgres"),
        { Provider: JobsProvider.Postgres } when string.IsNullOrWhiteSpace(ConnectionString) =>
            Text(nameof(ConnectionString), $"set where {Section}:{nameof(Provider)} is postgres"),
        { Path: { } path } when string.IsNullOrWhiteSpace(path) => Text(nameof(Path), "a file's path, or absent"),
        _ when Retention < TimeSpan.FromSeconds(1) || Retention > TimeSpan.FromDays(365) =>
            Text(nameof(Retention), "between 00:00:01 and 365.00:00:00"),
        { Capacity: < 1 or > 100_000_000 } => Text(nameof(Capacity), "between 1 and 100000000"),
        { MaxBytes: < 65_536 } => Text(nameof(MaxBytes), "65536 or more, or absent"),
        _ when Lease < TimeSpan.FromSeconds(1) || Lease > MaxLease => Text(nameof(Lease), "between 00:00:01 and 01:00:00"),
        { Window: < 1 or > 10_000 } => Text(nameof(Window), "between 1 and 10000"),
        _ => null,
    };

    private static string Text(string name, string range) => $"{Section}:{name} must be {range}.";
}
