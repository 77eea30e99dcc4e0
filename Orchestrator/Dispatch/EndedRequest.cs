using System.Diagnostics;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What is kept of a request for a while after its end.</summary>
/// <param name="Number">Its place in the order of ends, from 1.</param>
/// <param name="Id">Its identity.</param>
/// <param name="Kind">How it ended.</param>
/// <param name="Label">The answer's label, where there is one.</param>
/// <param name="Worker">Who computed the answer, or on whom it failed last; <c>null</c> if it never reached a worker.</param>
/// <param name="Attempts">Dispatches it took.</param>
/// <param name="BatchSize">Texts in the dispatch that answered it; 0 without an answer.</param>
/// <param name="QueueMs">Time between acceptance and the last dispatch, in milliseconds.</param>
/// <param name="InferenceMs">The worker's own time for the dispatch, in milliseconds; 0 without an answer.</param>
/// <param name="TotalMs">Time between acceptance and end, in milliseconds; 0 if it was not accepted.</param>
/// <param name="Text">The text, at most <see cref="RequestRecorder.MaxTextLength"/> characters of it.</param>
/// <param name="TextLength">How many characters the whole text has.</param>
/// <param name="Trace">The trace it belongs to; all zeros if none.</param>
/// <param name="EndedAt">Clock reading at the end.</param>
/// <param name="Verdict">What the answer of a multi-label or regression model comes to; <c>null</c> where it is one label.</param>
internal readonly record struct EndedRequest(
    long Number,
    Guid Id,
    OutcomeKind Kind,
    string? Label,
    string? Worker,
    int Attempts,
    int BatchSize,
    double QueueMs,
    double InferenceMs,
    double TotalMs,
    string Text,
    int TextLength,
    ActivityTraceId Trace,
    long EndedAt,
    Verdict? Verdict)
{
    /// <summary>Whether it is one that somebody should look into: not answered, and not because its client had gone.</summary>
    public bool IsFailure => Kind is not (OutcomeKind.Answered or OutcomeKind.Canceled);
}
