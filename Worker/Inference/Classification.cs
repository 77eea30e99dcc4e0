namespace Lab.Worker.Inference;

/// <summary>The result for one text.</summary>
/// <param name="Logits">One number per label, in the order of the labels.</param>
/// <param name="Probabilities">Their softmax: values in [0, 1] that sum to 1.</param>
/// <param name="Truncated">Whether the text was cut.</param>
internal sealed record Classification(float[] Logits, float[] Probabilities, bool Truncated)
{
    /// <summary>The id of the most probable label; of equals the first.</summary>
    public int Best => Array.IndexOf(Logits, Logits.Max());

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
}

/// <summary>The result of one computation.</summary>
/// <param name="Results">One for each input in order; empty if an input was too long and was to be refused.</param>
/// <param name="Elapsed">The time of tokenisation and inference.</param>
/// <param name="TooLong">The first input that was too long to be computed, from 0.</param>
internal sealed record Computation(IReadOnlyList<Classification> Results, TimeSpan Elapsed, int? TooLong = null);
