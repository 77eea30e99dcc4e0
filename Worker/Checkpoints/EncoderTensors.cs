namespace Lab.Worker.Checkpoints;

/// <summary>A tensor that a model file must have.</summary>
/// <param name="Name">The name without the prefix <c>distilbert.</c>.</param>
/// <param name="Shape">The dimensions, outermost first; a linear layer's weight is [out, in].</param>
internal sealed record TensorShape(string Name, IReadOnlyList<long> Shape);

/// <summary>The tensors of Hugging Face's <c>DistilBertForSequenceClassification</c>.</summary>
internal static class EncoderTensors
{
    /// <summary>What stands before the names of the encoder's tensors, but not before the classifier's.</summary>
    public const string Prefix = "distilbert.";

    private static readonly string[] OtherHeads = ["vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "qa_outputs."];

    /// <summary>The name by which a layer's tensor is found.</summary>
    /// <param name="layer">The layer, 0 to <see cref="EncoderConfig.Layers"/> − 1.</param>
    /// <param name="tensor">The rest of the name, for instance <c>ffn.lin1.weight</c>.</param>
    public static string InLayer(int layer, string tensor) => $"transformer.layer.{layer}.{tensor}";

    /// <summary>Whether the tensor carries <see cref="Prefix"/> in Hugging Face's files.</summary>
    public static bool IsOfEncoder(string name) =>
        name.StartsWith("embeddings.", StringComparison.Ordinal) || name.StartsWith("transformer.", StringComparison.Ordinal);

    /// <summary>
    /// Whether a tensor may be there that a classifier does not have: the numbers 0, 1, 2 … of positions, or the head of a
    /// model for masked words or for questions, of which a classifier was made.
    /// </summary>
    public static bool IsOfNoConcern(string name) =>
        name is $"{Prefix}embeddings.position_ids" or "embeddings.position_ids"
        || Array.Exists(OtherHeads, head => name.StartsWith(head, StringComparison.Ordinal));

    /// <summary>Every tensor that a model of this shape has.</summary>
    public static IEnumerable<TensorShape> Of(EncoderConfig config)
    {
        long dim = config.Dim, hidden = config.HiddenDim;
        yield return new("embeddings.word_embeddings.weight", [config.VocabSize, dim]);
        yield return new("embeddings.position_embeddings.weight", [config.MaxPositions, dim]);
        foreach (var tensor in Normalisation("embeddings.LayerNorm")) yield return tensor;
        for (var layer = 0; layer < config.Layers; layer++)
        {
            foreach (var name in (string[])["q_lin", "k_lin", "v_lin", "out_lin"])
            {
                foreach (var tensor in Linear(InLayer(layer, $"attention.{name}"), dim, dim)) yield return tensor;
            }

            foreach (var tensor in Normalisation(InLayer(layer, "sa_layer_norm"))) yield return tensor;
            foreach (var tensor in Linear(InLayer(layer, "ffn.lin1"), hidden, dim)) yield return tensor;
            foreach (var tensor in Linear(InLayer(layer, "ffn.lin2"), dim, hidden)) yield return tensor;
            foreach (var tensor in Normalisation(InLayer(layer, "output_layer_norm"))) yield return tensor;
        }

        foreach (var tensor in Linear("pre_classifier", dim, dim)) yield return tensor;
        foreach (var tensor in Linear("classifier", config.Labels.Count, dim)) yield return tensor;

        IEnumerable<TensorShape> Normalisation(string name) => [new($"{name}.weight", [dim]), new($"{name}.bias", [dim])];
        static IEnumerable<TensorShape> Linear(string name, long to, long from) =>
            [new($"{name}.weight", [to, from]), new($"{name}.bias", [to])];
    }
}
