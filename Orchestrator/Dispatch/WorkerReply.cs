using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What a worker says of one text: an answer, or why the model will not read it, so that trying elsewhere would not help.</summary>
/// <param name="Answer">The answer, or <c>null</c>.</param>
/// <param name="Rejection">The reason, where there is no answer.</param>
/// <param name="Logits">One for each class, where they were asked for.</param>
internal readonly record struct TextReply(ModelAnswer? Answer, string? Rejection, IReadOnlyList<float>? Logits = null)
{
    /// <summary>The reason in words that are fit for a client.</summary>
    public string? Rejection { get; } = Rejection is null ? null : WorkerWords.Plain(Rejection);
}

/// <summary>What came back from a worker for one dispatch.</summary>
internal abstract record WorkerReply
{
    private WorkerReply()
    {
    }

    /// <summary>What it says of each text, in the dispatch's order, and its time for the whole dispatch in milliseconds.</summary>
    internal sealed record Answered(IReadOnlyList<TextReply> Texts, double InferenceMs) : WorkerReply
    {
        /// <summary>Whether it has refused somebody else meanwhile.</summary>
        public bool IsWanted { get; init; }
    }

    /// <summary>The worker is computing for somebody else (429): busy, not broken, and no attempt.</summary>
    /// <param name="For">For how long, where it tells.</param>
    internal sealed record Busy(TimeSpan? For = null) : WorkerReply;

    /// <summary>The worker is not well: transport error, 5xx, unreadable answer, or no answer in time.</summary>
    internal sealed record Failed(string Reason) : WorkerReply
    {
        /// <summary>What was wrong, in words that are fit for logs.</summary>
        public string Reason { get; } = WorkerWords.Plain(Reason);
    }
}
