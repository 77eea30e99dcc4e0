namespace Lab.Bench.Recording;

/// <summary>What a run's requests have shown. Times are in milliseconds unless said otherwise.</summary>
internal sealed record Measured
{
    /// <summary>From the beginning of the run to the last end of a request.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests that were sent.</summary>
    public required long Sent { get; init; }

    /// <summary>Requests with an answer, and nothing wrong with it.</summary>
    public required long Answered { get; init; }

    /// <summary>Requests with a wrong answer.</summary>
    public required long Wrong { get; init; }

    /// <summary>Requests without any answer.</summary>
    public required long Lost { get; init; }

    /// <summary>Requests of the schedule that were not sent, since too many were waiting.</summary>
    public required long NotSent { get; init; }

    /// <summary>Requests whose answer the user did not wait for.</summary>
    public required long GivenUp { get; init; }

    /// <summary>Refusals by reason.</summary>
    public required IReadOnlyDictionary<string, long> Refused { get; init; }

    /// <summary>From the moment at which a request was to be sent to its answer.</summary>
    public required TimeSummary Total { get; init; }

    /// <summary>Of that in the queue, as the answers say.</summary>
    public required TimeSummary Queue { get; init; }

    /// <summary>Of that at the worker, as the answers say.</summary>
    public required TimeSummary Inference { get; init; }

    /// <summary>The rest: network, HTTP, the generator itself.</summary>
    public required TimeSummary Rest { get; init; }

    /// <summary>By how much requests left after their moment: the generator's own delay.</summary>
    public required TimeSummary Lateness { get; init; }

    /// <summary>By worker.</summary>
    public required IReadOnlyList<WorkerSummary> Workers { get; init; }

    /// <summary>Answers that took more than one dispatch.</summary>
    public required long Retried { get; init; }

    /// <summary>Answers that travelled with others in one dispatch.</summary>
    public required long Batched { get; init; }

    /// <summary>The most that waited at the same time.</summary>
    public required int DeepestQueue { get; init; }

    /// <summary>When that was, in seconds from the beginning.</summary>
    public required double DeepestAtSeconds { get; init; }

    /// <summary>For how many seconds anybody waited.</summary>
    public required double QueuedSeconds { get; init; }

    /// <summary>What was wrong or lost, the first thousand.</summary>
    public required IReadOnlyList<Incident> Incidents { get; init; }

    /// <summary>Latency's distribution.</summary>
    public required IReadOnlyList<(double Ms, double Share)> Distribution { get; init; }

    /// <summary>Requests for pictures.</summary>
    public required IReadOnlyList<Sample> Samples { get; init; }

    /// <summary>The queue over time.</summary>
    public required QueueDepth Depth { get; init; }

    /// <summary>All refusals.</summary>
    public long RefusedCount => Refused.Values.Sum();

    /// <summary>Answers per second.</summary>
    public double Throughput => Seconds > 0 ? Answered / Seconds : 0;

    /// <summary>What a program that made this run ends with.</summary>
    public ExitCode Verdict =>
        Wrong + Lost > 0 ? ExitCode.WrongOrLost
        : RefusedCount + NotSent > 0 || Answered == 0 ? ExitCode.Refused
        : ExitCode.AllAnswered;
}

/// <summary>What one worker did.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Answered">Its answers.</param>
/// <param name="MeanBatch">How many texts travelled in a request's dispatch, on average.</param>
/// <param name="Inference">Its own times, in milliseconds.</param>
/// <param name="Total">Its requests' times, in milliseconds.</param>
internal sealed record WorkerSummary(string Name, long Answered, double MeanBatch, TimeSummary Inference, TimeSummary Total);

/// <summary>A request that was answered wrongly or not at all.</summary>
/// <param name="Number">The request's number, from 0.</param>
/// <param name="What"><c>wrong</c> or <c>lost</c>.</param>
/// <param name="Reason">What is wrong.</param>
/// <param name="Text">What was sent.</param>
/// <param name="RequestId">The orchestrator's identity for it, where one was told.</param>
/// <param name="Worker">Who answered, where somebody did.</param>
/// <param name="SentAtSeconds">When it was sent, from the beginning of the run.</param>
/// <param name="EndedAt">When it ended: the time of day, UTC.</param>
internal sealed record Incident(int Number, string What, string Reason, string Text, string? RequestId, string? Worker, double SentAtSeconds, string EndedAt);

/// <summary>How far a run is.</summary>
/// <param name="Elapsed">Since it began.</param>
/// <param name="Sent">Requests sent.</param>
/// <param name="Answered">Requests answered.</param>
/// <param name="Wrong">Wrong answers.</param>
/// <param name="Lost">Requests without an answer.</param>
/// <param name="NotSent">Requests that could not be sent.</param>
/// <param name="Refused">Refusals by reason.</param>
/// <param name="P50">Median latency in milliseconds.</param>
/// <param name="P95">95th percentile.</param>
/// <param name="P99">99th percentile.</param>
/// <param name="Workers">Answers by worker.</param>
internal sealed record RunProgress(
    TimeSpan Elapsed,
    long Sent,
    long Answered,
    long Wrong,
    long Lost,
    long NotSent,
    IReadOnlyList<KeyValuePair<string, long>> Refused,
    double P50,
    double P95,
    double P99,
    IReadOnlyList<KeyValuePair<string, long>> Workers);
