using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What came back from a worker for one dispatch.</summary>
internal abstract record WorkerReply
{
    private WorkerReply()
    {
    }

    /// <summary>The answers, one per text in the dispatch's order.</summary>
    internal sealed record Answered(IReadOnlyList<ModelAnswer> Answers) : WorkerReply;

    /// <summary>The worker is computing for somebody else (429): busy, not broken, and no attempt.</summary>
    internal sealed record Busy : WorkerReply;

    /// <summary>The worker is well but will not classify this text (another 4xx): trying elsewhere would not help.</summary>
    internal sealed record Rejected(string Detail) : WorkerReply;

    /// <summary>The worker is not well: transport error, 5xx, unreadable answer, or no answer in time.</summary>
    internal sealed record Failed(string Reason) : WorkerReply;
}
