using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>How a queue entry ended.</summary>
internal enum OutcomeKind
{
    /// <summary>A worker computed the answer.</summary>
    Answered,

    /// <summary>Not accepted: the queue is full.</summary>
    QueueFull,

    /// <summary>Not accepted: no worker is alive.</summary>
    NoWorker,

    /// <summary>The deadline passed first.</summary>
    DeadlinePassed,

    /// <summary>It failed on as many workers as the dispatcher tries.</summary>
    Failed,

    /// <summary>A worker found the text itself impossible.</summary>
    Rejected,

    /// <summary>The client hung up.</summary>
    Canceled,

    /// <summary>The orchestrator stopped before the answer came.</summary>
    Stopped,
}

/// <summary>How a queue entry ended, and what the client is to be told.</summary>
/// <param name="Kind">The kind of end.</param>
/// <param name="Answer">The answer, where there is one.</param>
/// <param name="Detail">Why there is no answer, for the client.</param>
/// <param name="RetryAfterSeconds">1 to 60 where trying again later makes sense, else <c>null</c>.</param>
/// <param name="Logits">One for each class, where they were asked for.</param>
/// <param name="Problem">How the answer's scores were made.</param>
internal sealed record Outcome(
    OutcomeKind Kind,
    RequestAnswer? Answer = null,
    string? Detail = null,
    int? RetryAfterSeconds = null,
    IReadOnlyList<float>? Logits = null,
    ProblemType Problem = ProblemType.SingleLabel);
