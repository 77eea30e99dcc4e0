using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Inference;

/// <summary>The result for one text.</summary>
/// <param name="Logits">One number per label, in the order of the labels.</param>
/// <param name="Probabilities">What <see cref="Scores"/> makes of them.</param>
/// <param name="Truncated">Whether the text was cut.</param>
internal sealed record Classification(float[] Logits, float[] Probabilities, bool Truncated)
{
    /// <summary>The id of the label with the highest score; of equals the first.</summary>
    public int Best => Array.IndexOf(Probabilities, Probabilities.Max());

    /// <summary>
    /// Scores as the text-classification pipeline of Hugging Face's transformers makes them: softmax; for several labels
    /// at once, and for one label alone, the logistic function of each; for a regression the numbers themselves.
    /// </summary>
    public static float[] Scores(float[] logits, ProblemType problem) => problem switch
    {
        ProblemType.Regression => logits,
        ProblemType.SingleLabel when logits.Length > 1 => Softmax(logits),
        _ => Array.ConvertAll(logits, Logistic),
    };

    /// <summary>exp(xᵢ) / Σ exp(xⱼ), computed so that large logits do not overflow.</summary>
    public static float[] Softmax(ReadOnlySpan<float> logits)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits) largest = Math.Max(largest, logit);
        var probabilities = new float[logits.Length];
        double sum = 0;
        for (var i = 0; i < logits.Length; i++) sum += Math.Exp(logits[i] - (double)largest);
        for (var i = 0; i < logits.Length; i++) probabilities[i] = (float)(Math.Exp(logits[i] - (double)largest) / sum);
        return probabilities;
    }

    /// <summary>1 / (1 + exp(−x)), which is 0 or 1 where that is nearer than any other number.</summary>
    public static float Logistic(float logit) => (float)(1 / (1 + Math.Exp(-(double)logit)));
}

/// <summary>The result of one computation.</summary>
/// <param name="Results">One for each input in order; empty if an input was too long and was to be refused.</param>
/// <param name="Elapsed">The time of tokenisation and inference.</param>
/// <param name="TooLong">The first input that was too long to be computed, from 0.</param>
internal sealed record Computation(IReadOnlyList<Classification> Results, TimeSpan Elapsed, int? TooLong = null);
