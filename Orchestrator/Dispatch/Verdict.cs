using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What an answer comes to, as it is shown: labels with their probabilities, or numbers.</summary>
/// <param name="Labels">The first labels that the text has; none of a regression.</param>
/// <param name="Scores">Their probabilities, or the first numbers of a regression.</param>
/// <param name="Count">How many there are in all.</param>
internal sealed record Verdict(IReadOnlyList<string> Labels, IReadOnlyList<float> Scores, int Count)
{
    /// <summary>How many labels or numbers are shown of an answer; a model may have thousands.</summary>
    public const int MaxShown = 5;

    /// <summary>The verdict of an answer.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="problem">How its scores were made.</param>
    public static Verdict Of(RequestAnswer answer, ProblemType problem) => problem switch
    {
        ProblemType.Regression => new([], [.. answer.Probabilities.Take(MaxShown)], answer.Probabilities.Count),
        // In the same order as their labels.
        ProblemType.MultiLabel => new(
            [.. (answer.Labels ?? []).Take(MaxShown)],
            [.. answer.Probabilities.Where(probability => probability >= MultiLabel.Threshold).OrderDescending().Take(MaxShown)],
            answer.Labels?.Count ?? 0),
        _ => new([answer.Label], [answer.Probabilities.Max()], 1),
    };
}
