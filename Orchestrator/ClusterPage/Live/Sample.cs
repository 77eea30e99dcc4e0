namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>One second of the cluster's life.</summary>
/// <param name="Queued">The most requests that waited at once.</param>
/// <param name="Answered">Requests answered per second.</param>
/// <param name="Failed">Requests refused or given up per second.</param>
/// <param name="QueueMs">Median time before the dispatch, in milliseconds; <c>null</c> if nothing was answered.</param>
/// <param name="InferenceMs">Median of the worker's time, in milliseconds.</param>
/// <param name="SlowMs">95 of 100 answers came within this time, in milliseconds.</param>
public readonly record struct Sample(int Queued, double Answered, double Failed, double? QueueMs, double? InferenceMs, double? SlowMs);
