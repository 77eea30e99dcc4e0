using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>Whether what a worker answers can be an answer of the model that it told. If not it is the worker that has failed.</summary>
internal static class AnswerCheck
{
    // Logits that were rounded for the way may tie where the probabilities do not.
    private const float Rounding = 0.001f;

    private const double MaxMilliseconds = 24 * 60 * 60 * 1000.0;

    /// <summary>What is wrong with an answer; <c>null</c> if nothing is.</summary>
    /// <param name="label">The class that it names.</param>
    /// <param name="probabilities">One for each class, or the numbers of a regression.</param>
    /// <param name="several">The classes that the text has, of a multi-label model.</param>
    /// <param name="logits">One for each class, where they were asked for.</param>
    /// <param name="model">What the answers of the worker's model are made of.</param>
    public static string? Fault(string? label, IReadOnlyList<float>? probabilities, IReadOnlyList<string>? several, IReadOnlyList<float>? logits, ModelOutput model)
    {
        if (label is null || probabilities is not { Count: > 0 }) return "its answer has no label or no probabilities";
        var isRegression = model.Problem is ProblemType.Regression;
        var best = 0;
        for (var i = 0; i < probabilities.Count; i++)
        {
            if (isRegression ? !float.IsFinite(probabilities[i]) : probabilities[i] is not (>= 0 and <= 1))
                return isRegression ? "its answer has a number that is none" : "its answer has a probability that is none";
            if (probabilities[i] > probabilities[best]) best = i;
        }

        if (logits is not null)
        {
            if (logits.Count != probabilities.Count || !logits.All(float.IsFinite)) return "its answer has not one logit for each probability";
            // Whatever scores are made of them by keeps their order.
            if (probabilities[logits.Index().MaxBy(logit => logit.Item).Index] < probabilities[best] - Rounding) return "its answer has logits of another label than the most probable";
        }

        var labels = model.Labels;
        if (labels.Count == 0) return WireName.IsValid(label) ? null : "its answer names a label that is none";
        if (probabilities.Count != labels.Count) return $"its answer has {probabilities.Count} probabilities, and its model {labels.Count} labels";
        if (model.Problem is ProblemType.MultiLabel && several?.SequenceEqual(MultiLabel.LabelsOf(probabilities, labels)) != true)
            return "its answer has other labels than those of probability 0.5 and more";
        if (label == labels[best]) return null;
        // Of two that are as probable either may be named.
        for (var i = 0; i < labels.Count; i++)
            if (labels[i] == label && probabilities[i] == probabilities[best]) return null;
        return "its answer names another label than the most probable one of its model";
    }

    /// <summary>Whether a time can be one that a dispatch took.</summary>
    /// <param name="milliseconds">The worker's own time.</param>
    public static bool IsTime(double milliseconds) => milliseconds is >= 0 and <= MaxMilliseconds;
}
