namespace Lab.Bench.Cluster;

/// <summary>What the orchestrator itself has counted, since it started or between two looks.</summary>
/// <param name="Answered">Requests answered.</param>
/// <param name="Dispatched">Requests handed to a worker, those again that had to be handed over again.</param>
/// <param name="QueueSeconds">Sum of their waiting times, in seconds.</param>
/// <param name="Dispatches">Calls that workers answered.</param>
/// <param name="Returned">Requests that went back to the queue.</param>
internal sealed record OwnCount(double Answered, double Dispatched, double QueueSeconds, double Dispatches, double Returned)
{
    /// <summary>Reads the orchestrator's metrics.</summary>
    public static OwnCount Read(MetricsText metrics) => new(
        metrics.Sum("lab_requests_total", "outcome=\"answered\""),
        metrics.Sum("lab_queue_duration_seconds_count"),
        metrics.Sum("lab_queue_duration_seconds_sum"),
        metrics.Sum("lab_dispatches_total", "result=\"answered\""),
        metrics.Sum("lab_requests_returned_total"));

    /// <summary>What was counted between two looks.</summary>
    public static OwnCount operator -(OwnCount later, OwnCount earlier) => new(
        later.Answered - earlier.Answered, later.Dispatched - earlier.Dispatched, later.QueueSeconds - earlier.QueueSeconds,
        later.Dispatches - earlier.Dispatches, later.Returned - earlier.Returned);
}
