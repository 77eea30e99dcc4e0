using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Compilation;

namespace Lab.Worker.Inference;

/// <summary>What a loaded model is.</summary>
/// <param name="Name">Its name in answers.</param>
/// <param name="Sha256">SHA-256 of the weights' file, in lower-case hexadecimal.</param>
/// <param name="Labels">The labels in the order of their ids.</param>
/// <param name="MaxTokens">The longest input in tokens, special tokens included.</param>
/// <param name="Precision">What it is computed with.</param>
/// <param name="Problem">How scores are made of logits.</param>
internal sealed record ModelDescription(
    string Name, string Sha256, IReadOnlyList<string> Labels, int MaxTokens, Precision Precision = Precision.Fp32, ProblemType Problem = ProblemType.SingleLabel)
{
    /// <summary>The label of a result.</summary>
    public string LabelOf(Classification result) => Labels[result.Best];

    /// <summary>All labels that the text has; <c>null</c> of a model that gives each text one label.</summary>
    public IReadOnlyList<string>? LabelsOf(Classification result) =>
        Problem is ProblemType.MultiLabel ? MultiLabel.LabelsOf(result.Probabilities, Labels) : null;
}
