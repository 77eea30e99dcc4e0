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

    /// <summary>Scores as <see cref="ScoreFunctions.Of"/> says.</summary>
    public static float[] Scores(float[] logits, ProblemType problem) => ScoreFunctions.Of(problem, logits.Length) switch
    {
        ScoreFunction.None => logits,
        ScoreFunction.Softmax => ScoreFunctions.Softmax(logits),
        _ => Array.ConvertAll(logits, ScoreFunctions.Logistic),
    };
}

/// <summary>The result of one computation.</summary>
/// <param name="Results">One for each input in order; empty if an input was too long and was to be refused.</param>
/// <param name="Elapsed">The time of tokenisation and inference.</param>
/// <param name="TooLong">The first input that was too long to be computed, from 0.</param>
internal sealed record Computation(IReadOnlyList<Classification> Results, TimeSpan Elapsed, int? TooLong = null);
