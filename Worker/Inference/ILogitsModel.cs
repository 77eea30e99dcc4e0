using Lab.Worker.Tokenization;

namespace Lab.Worker.Inference;

/// <summary>What computes logits from token ids. Not for concurrent use: the caller holds the inference gate.</summary>
internal interface ILogitsModel : IDisposable
{
    /// <summary>Computes the logits of a batch.</summary>
    /// <param name="texts">The texts, each no longer than the model's positions.</param>
    /// <returns>For each text one logit per label, in the order of the labels.</returns>
    float[][] ComputeLogits(IReadOnlyList<TokenizedText> texts);
}

/// <summary>What any model computes besides.</summary>
internal static class LogitsModelExtensions
{
    /// <summary>Computes the logits of a batch in which all tokens are of one type.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">Token ids of each text.</param>
    /// <returns>For each text one logit per label, in the order of the labels.</returns>
    public static float[][] ComputeLogits(this ILogitsModel model, IReadOnlyList<int[]> texts) =>
        model.ComputeLogits([.. texts.Select(ids => new TokenizedText(ids, Truncated: false, ids.Length))]);
}
