namespace Lab.Worker.Inference;

/// <summary>What computes logits from token ids. Not for concurrent use: the caller holds the inference gate.</summary>
internal interface ILogitsModel : IDisposable
{
    /// <summary>Computes the logits of a batch.</summary>
    /// <param name="texts">Token ids of each text, [CLS] … [SEP], no longer than the model's positions.</param>
    /// <returns>For each text one logit per label, in the order of the labels.</returns>
    float[][] ComputeLogits(IReadOnlyList<int[]> texts);
}
