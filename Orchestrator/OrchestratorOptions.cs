namespace Lab.Orchestrator;

/// <summary>The section <c>Orchestrator</c> of the configuration. Every value has a default that works.</summary>
public sealed class OrchestratorOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Orchestrator";

    private const long MinQueueBytes = 1024 * 1024;
    private const long MaxQueueBytes = 1L << 40;

    /// <summary>How many requests may wait, 1 to 1,000,000; the next one is refused with 429.</summary>
    public int QueueCapacity { get; set; } = 10_000;

    /// <summary>
    /// How many bytes waiting requests may take, 1 MiB to 1 TiB; the next one is refused with 429. 0, the default, for a
    /// quarter of the memory that the process may use (its container's, where it has one).
    /// </summary>
    public long QueueBytes { get; set; }

    /// <summary>How long a waiting client is kept, more than 0 and at most an hour; then 504.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest deadline that a client may ask for (<c>Prefer: wait=N</c>), 1 second to an hour.</summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one dispatch may take, more than 0 and at most an hour; then the worker is quarantined.</summary>
    public TimeSpan DispatchTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>On how many workers a request may fail before it is given up with 502, 1 to 100.</summary>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How many texts one dispatch may carry when requests wait, 1 to 32; 1 turns batching off.</summary>
    public int MaxBatch { get; set; } = 8;

    /// <summary>About how many tokens the texts of one batch may have together, 1 to 65536.</summary>
    public int MaxBatchTokens { get; set; } = 2048;

    /// <summary>The largest request body in bytes, 1 KiB to 16 MiB; then 413.</summary>
    public long MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>How often a trusted, idle worker is probed.</summary>
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a probe may take.</summary>
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker is quarantined after its first failure; doubled with each further one.</summary>
    public TimeSpan QuarantineMin { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest quarantine between two probes.</summary>
    public TimeSpan QuarantineMax { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>A JSON file <c>{"worker-1":"http://10.0.0.11:8000",…}</c>, read again when it changes; <c>null</c> for none.</summary>
    public string? WorkersFile { get; set; }

    /// <summary>
    /// Whether a second orchestrator may listen on the same address, so that an upgrade refuses no connection (Linux).
    /// Off by default, for otherwise starting it twice by mistake goes unnoticed.
    /// </summary>
    public bool ReusePort { get; set; }

    /// <summary><see cref="ReusePort"/>, where the operating system can.</summary>
    internal bool IsPortShared => ReusePort && OperatingSystem.IsLinux();

    /// <summary><see cref="QueueBytes"/>, or what it is by default.</summary>
    internal long QueueBytesOrDefault => QueueBytes > 0 ? QueueBytes : Math.Max(MinQueueBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    /// <summary>How many bytes bodies may take while they are read.</summary>
    internal long BodyBytes => QueueBytesOrDefault / 2;

    /// <summary>The first thing wrong with the values, or <c>null</c>.</summary>
    public string? FirstError()
    {
        var hour = TimeSpan.FromHours(1);
        return this switch
        {
            { QueueCapacity: < 1 or > 1_000_000 } => Text(nameof(QueueCapacity), "between 1 and 1000000"),
            { QueueBytes: < 0 or > 0 and < MinQueueBytes or > MaxQueueBytes } => Text(nameof(QueueBytes), $"0, or between {MinQueueBytes} and {MaxQueueBytes}"),
            { MaxAttempts: < 1 or > 100 } => Text(nameof(MaxAttempts), "between 1 and 100"),
            { MaxBatch: < 1 or > 32 } => Text(nameof(MaxBatch), "between 1 and 32"),
            { MaxBatchTokens: < 1 or > 65536 } => Text(nameof(MaxBatchTokens), "between 1 and 65536"),
            { MaxBodyBytes: < 1024 or > 16 * 1024 * 1024 } => Text(nameof(MaxBodyBytes), "between 1024 and 16777216"),
            _ when Deadline <= TimeSpan.Zero || Deadline > hour => Text(nameof(Deadline), "more than 0 and at most 01:00:00"),
            _ when MaxWait < TimeSpan.FromSeconds(1) || MaxWait > hour => Text(nameof(MaxWait), "between 00:00:01 and 01:00:00"),
            _ when DispatchTimeout <= TimeSpan.Zero || DispatchTimeout > hour => Text(nameof(DispatchTimeout), "more than 0 and at most 01:00:00"),
            _ when ProbeInterval <= TimeSpan.Zero || ProbeInterval > hour => Text(nameof(ProbeInterval), "more than 0 and at most 01:00:00"),
            _ when ProbeTimeout <= TimeSpan.Zero || ProbeTimeout > hour => Text(nameof(ProbeTimeout), "more than 0 and at most 01:00:00"),
            _ when QuarantineMin <= TimeSpan.Zero || QuarantineMin > QuarantineMax => Text(nameof(QuarantineMin), "more than 0 and at most QuarantineMax"),
            { WorkersFile: { } file } when string.IsNullOrWhiteSpace(file) => Text(nameof(WorkersFile), "a file's path, or absent"),
            _ when QuarantineMax > hour => Text(nameof(QuarantineMax), "at most 01:00:00"),
            _ => null,
        };
    }

    private static string Text(string name, string range) => $"{Section}:{name} must be {range}.";
}
