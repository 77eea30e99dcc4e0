namespace Lab.Bench.Load;

/// <summary>What became of a request.</summary>
internal enum Ending
{
    /// <summary>It was answered, and nothing is wrong with the answer.</summary>
    Answered,

    /// <summary>It was answered, wrongly.</summary>
    Wrong,

    /// <summary>The orchestrator said why there is no answer.</summary>
    Refused,

    /// <summary>It got no answer of any kind: a broken connection, or the client's patience was over.</summary>
    Lost,

    /// <summary>It was never sent: too many were waiting for their answers already (open loop).</summary>
    NotSent,

    /// <summary>The user ended the run before its answer came.</summary>
    GivenUp,
}

/// <summary>What a client learnt from one request.</summary>
/// <param name="Ending">What became of it.</param>
/// <param name="Reason">Why it was not answered, or what is wrong; <c>null</c> where all is well.</param>
/// <param name="Answer">The answer, where there is one.</param>
/// <param name="RetryAfter">When the orchestrator wants to be asked again, where it said so.</param>
internal readonly record struct Reply(Ending Ending, string? Reason = null, Answer? Answer = null, TimeSpan? RetryAfter = null);

/// <summary>One request from its beginning to its end.</summary>
/// <param name="Number">Requests are numbered from 0, in the order in which they were meant to be sent.</param>
/// <param name="Text">What was sent.</param>
/// <param name="IntendedAt">Clock reading of the moment at which it was to be sent.</param>
/// <param name="SentAt">Clock reading of the moment at which it was.</param>
/// <param name="EndedAt">Clock reading of its end.</param>
/// <param name="Reply">What became of it.</param>
internal readonly record struct Exchange(int Number, Text Text, long IntendedAt, long SentAt, long EndedAt, Reply Reply);
