namespace Lab.Bench.Recording;

/// <summary>What one worker did.</summary>
internal sealed class WorkerTimes
{
    public Times Inference { get; } = new();

    public Times Total { get; } = new();

    /// <summary>Sum of the batch sizes that its answers told: divided by the answers, how much company a request had.</summary>
    public long BatchSizes { get; set; }
}
