namespace Lab.Bench.Load;

/// <summary>An answer of the orchestrator, as far as it is measured.</summary>
/// <param name="RequestId">Its identity.</param>
/// <param name="Worker">Who computed it.</param>
/// <param name="Attempts">Dispatches that it took.</param>
/// <param name="BatchSize">Texts in the last dispatch.</param>
/// <param name="QueueMs">Time between acceptance and the last dispatch, in milliseconds.</param>
/// <param name="InferenceMs">The worker's own time for the dispatch, in milliseconds.</param>
/// <param name="Label">The label.</param>
/// <param name="Probabilities">One for each class.</param>
internal sealed record Answer(
    Guid RequestId,
    string Worker,
    int Attempts,
    int BatchSize,
    double QueueMs,
    double InferenceMs,
    string Label,
    IReadOnlyList<float> Probabilities);
