namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>The page's charts of the last five minutes.</summary>
/// <param name="Throughput">Requests answered and failed per second.</param>
/// <param name="Queue">The most requests that waited at once in each second.</param>
/// <param name="Latency">Where an answer's time went, in milliseconds.</param>
public sealed record ChartSet(Chart Throughput, Chart Queue, Chart Latency)
{
    private const double MinRequests = 5;
    private const double MinMilliseconds = 10;

    internal static ChartSet Of(Sample[] samples) => new(
        Chart.Of(samples, MinRequests, ("answered", sample => sample.Answered, true), ("failed", sample => sample.Failed == 0 ? null : sample.Failed, false)),
        Chart.Of(samples, MinRequests, ("waiting", sample => sample.Queued, true)),
        // The queue's time stands on the inference's: what is seen of its area is its own.
        Chart.Of(
            samples,
            MinMilliseconds,
            ("queue", sample => sample.QueueMs + sample.InferenceMs, true),
            ("inference", sample => sample.InferenceMs, true)));
}
