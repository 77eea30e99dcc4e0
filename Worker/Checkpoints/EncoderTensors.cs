using System.Globalization;

namespace Lab.Worker.Checkpoints;

/// <summary>A tensor that a model file must have.</summary>
/// <param name="Name">The name in the file.</param>
/// <param name="Shape">The dimensions, outermost first; a linear layer's weight is [out, in].</param>
/// <param name="Role">What it is for, in the words of <see cref="EncoderTensors"/>; empty where that is not asked.</param>
internal sealed record TensorShape(string Name, IReadOnlyList<long> Shape, string Role = "");

/// <summary>
/// The tensors of a classifier, by what they are for. A role is one of these names, after <see cref="InLayer"/> where each
/// layer has one, followed by <c>.weight</c> or <c>.bias</c>.
/// </summary>
internal static class EncoderTensors
{
    /// <summary>The table of words: a row for each token id.</summary>
    public const string Words = "words";

    /// <summary>The table of positions.</summary>
    public const string Positions = "positions";

    /// <summary>The table of token types.</summary>
    public const string Types = "types";

    /// <summary>The layer normalisation of the embeddings.</summary>
    public const string EmbeddingNorm = "embedding_norm";

    /// <summary>The projection to queries of attention.</summary>
    public const string Query = "query";

    /// <summary>The projection to keys of attention.</summary>
    public const string Key = "key";

    /// <summary>The projection to values of attention.</summary>
    public const string Value = "value";

    /// <summary>The projection of what attention gives.</summary>
    public const string AttentionOutput = "attention_output";

    /// <summary>The layer normalisation after attention.</summary>
    public const string AttentionNorm = "attention_norm";

    /// <summary>The feed-forward network's first layer.</summary>
    public const string Inner = "inner";

    /// <summary>The feed-forward network's second layer.</summary>
    public const string Outer = "outer";

    /// <summary>The layer normalisation after the feed-forward network.</summary>
    public const string OutputNorm = "output_norm";

    /// <summary>The first layer of the head.</summary>
    public const string HeadDense = "head_dense";

    /// <summary>The second layer of the head, which gives the logits.</summary>
    public const string HeadOutput = "head_output";

    /// <summary>What each layer has.</summary>
    public static IReadOnlyList<string> LayerParts { get; } = [Query, Key, Value, AttentionOutput, AttentionNorm, Inner, Outer, OutputNorm];

    /// <summary>The role of a layer's tensor.</summary>
    /// <param name="layer">The layer, 0 to <see cref="EncoderConfig.Layers"/> − 1.</param>
    /// <param name="part">One of <see cref="LayerParts"/>.</param>
    public static string InLayer(int layer, string part) => $"layer{layer}.{part}";

    /// <summary>Every tensor that a model of this shape has.</summary>
    public static IEnumerable<TensorShape> Of(EncoderConfig config)
    {
        long dim = config.Dim, hidden = config.HiddenDim;
        yield return Weight(Words, null, [config.VocabSize, dim]);
        yield return Weight(Positions, null, [config.PositionRows, dim]);
        if (config.TypeRows > 0) yield return Weight(Types, null, [config.TypeRows, dim]);
        foreach (var tensor in Normalisation(EmbeddingNorm)) yield return tensor;
        for (var layer = 0; layer < config.Layers; layer++)
        {
            foreach (var part in LayerParts)
            {
                var tensors = part switch
                {
                    AttentionNorm or OutputNorm => Normalisation(part, layer),
                    Inner => Linear(part, layer, hidden, dim),
                    Outer => Linear(part, layer, dim, hidden),
                    _ => Linear(part, layer, dim, dim),
                };
                foreach (var tensor in tensors) yield return tensor;
            }
        }

        foreach (var tensor in Linear(HeadDense, null, dim, dim)) yield return tensor;
        foreach (var tensor in Linear(HeadOutput, null, config.Labels.Count, dim)) yield return tensor;

        TensorShape[] Normalisation(string part, int? layer = null) => [Weight(part, layer, [dim]), Bias(part, layer, dim)];
        TensorShape[] Linear(string part, int? layer, long to, long from) => [Weight(part, layer, [to, from]), Bias(part, layer, to)];
        TensorShape Weight(string part, int? layer, long[] shape) => Tensor(part, layer, ".weight", shape);
        TensorShape Bias(string part, int? layer, long size) => Tensor(part, layer, ".bias", [size]);
        TensorShape Tensor(string part, int? layer, string kind, long[] shape) => new(
            string.Format(CultureInfo.InvariantCulture, config.Architecture.TensorNames[part], layer) + kind, shape,
            (layer is { } number ? InLayer(number, part) : part) + kind);
    }

    /// <summary>The names under which a tensor may be in a file: transformers finds each of them.</summary>
    /// <param name="tensor">One of <see cref="Of"/>.</param>
    /// <param name="architecture">The model's.</param>
    public static IEnumerable<string> NamesOf(TensorShape tensor, EncoderArchitecture architecture)
    {
        string[] names = tensor.Name.StartsWith(architecture.Prefix, StringComparison.Ordinal)
            ? [tensor.Name, tensor.Name[architecture.Prefix.Length..]]
            : [tensor.Name];
        // As Google's own program had them, in files of the first years.
        return names.Concat(names.Where(name => name.Contains("LayerNorm.", StringComparison.Ordinal))
            .Select(name => name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal)));
    }

    /// <summary>
    /// Whether a tensor may be there that a classifier does not have: the numbers 0, 1, 2 … of positions, or what belongs to
    /// another head, of a model that a classifier was made of.
    /// </summary>
    public static bool IsUnused(string name, EncoderArchitecture architecture) =>
        name is "embeddings.position_ids" || name == $"{architecture.Prefix}embeddings.position_ids"
        || architecture.UnusedTensors.Any(beginning => name.StartsWith(beginning, StringComparison.Ordinal));
}
