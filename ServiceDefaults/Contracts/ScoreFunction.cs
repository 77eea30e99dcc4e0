namespace Lab.ServiceDefaults.Contracts;

/// <summary>What makes scores of logits: <c>function_to_apply</c> of Hugging Face's text-classification pipeline.</summary>
public enum ScoreFunction
{
    /// <summary>The logits themselves.</summary>
    None,

    /// <summary>The logistic function of each.</summary>
    Sigmoid,

    /// <summary>Probabilities that sum to 1.</summary>
    Softmax,
}

/// <summary>The score functions' numbers, and which of them a model's own is.</summary>
public static class ScoreFunctions
{
    /// <summary>
    /// The function that the text-classification pipeline of Hugging Face's transformers applies by itself: softmax; for several
    /// labels at once, and for one label alone, the logistic function of each; for a regression none.
    /// </summary>
    /// <param name="problem">What the model's scores mean.</param>
    /// <param name="labels">How many labels it has.</param>
    public static ScoreFunction Of(ProblemType problem, int labels) => problem switch
    {
        ProblemType.Regression => ScoreFunction.None,
        ProblemType.SingleLabel when labels > 1 => ScoreFunction.Softmax,
        _ => ScoreFunction.Sigmoid,
    };

    /// <summary>Makes scores of logits, in their order.</summary>
    public static IReadOnlyList<float> Apply(this ScoreFunction function, IReadOnlyList<float> logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return function switch
        {
            ScoreFunction.None => logits,
            ScoreFunction.Softmax => Softmax([.. logits]),
            _ => [.. logits.Select(Logistic)],
        };
    }

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
