using Lab.Worker.Compilation;

namespace Lab.Worker.Inference;

/// <summary>What a loaded model is.</summary>
/// <param name="Name">Its name in answers.</param>
/// <param name="Sha256">SHA-256 of the weights' file, in lower-case hexadecimal.</param>
/// <param name="Labels">The labels in the order of their ids.</param>
/// <param name="MaxTokens">The longest input in tokens, special tokens included.</param>
/// <param name="Precision">What it is computed with.</param>
internal sealed record ModelDescription(
    string Name, string Sha256, IReadOnlyList<string> Labels, int MaxTokens, Precision Precision = Precision.Fp32);
