namespace Lab.Worker.Checkpoints;

/// <summary>What stands between the two layers of a classifier's head.</summary>
internal enum HeadActivation
{
    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,
}

/// <summary>
/// All in which one kind of model differs from the others: the same network is built of each description. What is in it
/// follows the model's <c>configuration_*.py</c> and <c>modeling_*.py</c> in Hugging Face's transformers.
/// </summary>
internal sealed record EncoderArchitecture
{
    /// <summary>The value of <c>model_type</c> in <c>config.json</c>.</summary>
    public required string ModelType { get; init; }

    /// <summary>The name in <c>architectures</c> of <c>config.json</c>.</summary>
    public required string ClassName { get; init; }

    /// <summary>What stands before the names of the encoder's tensors; files that leave it out are read as well.</summary>
    public required string Prefix { get; init; }

    /// <summary>The names of tensors, without <c>.weight</c> and <c>.bias</c>, by the roles of <see cref="EncoderTensors"/>; {0} is the layer.</summary>
    public required IReadOnlyDictionary<string, string> TensorNames { get; init; }

    /// <summary>Beginnings of the names of tensors that may be there and that a classifier does not have.</summary>
    public required IReadOnlyList<string> UnusedTensors { get; init; }

    /// <summary>The names of the members of <c>config.json</c>.</summary>
    public required ConfigNames Members { get; init; }

    /// <summary>Members of <c>config.json</c> that bear on no answer of such a model, besides those of all models.</summary>
    public required IReadOnlyList<string> UnusedMembers { get; init; }

    /// <summary>Layers where <c>config.json</c> names no number.</summary>
    public required int Layers { get; init; }

    /// <summary>Rows of the word embeddings where <c>config.json</c> names no number.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Rows of the token types' embeddings where <c>config.json</c> names no number; 0 where there are none.</summary>
    public int TypeRows { get; init; }

    /// <summary>The token id of padding where <c>config.json</c> names none.</summary>
    public int PadId { get; init; }

    /// <summary>Whether the second text of a pair has tokens of another type than the first.</summary>
    public bool PairsHaveTypes { get; init; }

    /// <summary>Whether the first token stands at the position after the padding's token id, rather than at 0.</summary>
    public bool PositionsFollowPadding { get; init; }

    /// <summary>What stands between the two layers of the head.</summary>
    public required HeadActivation Head { get; init; }

    /// <summary>How texts become tokens.</summary>
    public required TokenizerKind Tokenizer { get; init; }

    /// <summary>A model of which <c>config.json</c> says nothing but its type.</summary>
    public EncoderConfig Standard => new()
    {
        Architecture = this,
        Layers = Layers,
        VocabSize = VocabSize,
        TypeRows = TypeRows,
        PadId = PadId,
        MaxPositions = EncoderConfig.StandardPositionRows - (PositionsFollowPadding ? PadId + 1 : 0),
    };

    /// <inheritdoc/>
    public override string ToString() => ModelType;
}

/// <summary>
/// Names of members of <c>config.json</c>: the model's own, and then those that transformers takes for the same
/// (<c>attribute_map</c>). None where there is no such setting.
/// </summary>
internal sealed record ConfigNames
{
    /// <summary>Width of the hidden states.</summary>
    public required string[] Dim { get; init; }

    /// <summary>Width of the feed-forward network's inner layer.</summary>
    public required string[] HiddenDim { get; init; }

    /// <summary>Attention heads.</summary>
    public required string[] Heads { get; init; }

    /// <summary>Layers.</summary>
    public required string[] Layers { get; init; }

    /// <summary>The feed-forward network's activation function.</summary>
    public required string Activation { get; init; }

    /// <summary>What is added to the variance in layer normalisations.</summary>
    public string? LayerNormEpsilon { get; init; }

    /// <summary>Rows of the token types' embeddings.</summary>
    public string? TypeRows { get; init; }

    /// <summary>The token id of padding, where it says at which position texts begin.</summary>
    public string? PadId { get; init; }

    /// <summary>All of them.</summary>
    public IEnumerable<string> All =>
        [.. Dim, .. HiddenDim, .. Heads, .. Layers, Activation, .. new[] { LayerNormEpsilon, TypeRows, PadId }.OfType<string>()];
}
