using System.Globalization;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Checkpoints;

/// <summary>The feed-forward network's activation function.</summary>
internal enum Activation
{
    /// <summary>x·Φ(x) with the exact error function (Hendrycks and Gimpel, arXiv:1606.08415).</summary>
    Gelu,

    /// <summary>max(x, 0).</summary>
    Relu,
}

/// <summary>The shape of a classifier by Hugging Face's <c>config.json</c>.</summary>
internal sealed record EncoderConfig
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "config.json";

    /// <summary>Rows of the table of positions where <c>config.json</c> names no number.</summary>
    public const int StandardPositionRows = 512;

    private const int MaxFileBytes = 4 << 20;

    /// <summary>What kind of model it is.</summary>
    public required EncoderArchitecture Architecture { get; init; }

    /// <summary>Width of the hidden states, a multiple of <see cref="Heads"/>.</summary>
    public int Dim { get; init; } = 768;

    /// <summary>Width of the feed-forward network's inner layer.</summary>
    public int HiddenDim { get; init; } = 3072;

    /// <summary>Attention heads in each layer.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Transformer layers.</summary>
    public required int Layers { get; init; }

    /// <summary>The longest input in tokens, those around the text included.</summary>
    public int MaxPositions { get; init; } = StandardPositionRows;

    /// <summary>Rows of the word embeddings: as many as there are tokens, or padded.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Rows of the token types' embeddings; 0 where there are none.</summary>
    public int TypeRows { get; init; }

    /// <summary>The token id of padding, where <see cref="EncoderArchitecture.PositionsFollowPadding"/>; else 0.</summary>
    public int PadId { get; init; }

    /// <summary>Added to the variance in every layer normalisation, above 0.</summary>
    public float LayerNormEpsilon { get; init; } = 1e-12f;

    /// <summary>The feed-forward network's activation.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>How scores are made of logits.</summary>
    public ProblemType Problem { get; init; } = ProblemType.SingleLabel;

    /// <summary>The classes in the order of their ids, at least one.</summary>
    public IReadOnlyList<string> Labels { get; init; } = ["NEGATIVE", "POSITIVE"];

    /// <summary>How texts become tokens.</summary>
    public TokenizerKind Tokenizer => Architecture.Tokenizer;

    /// <summary>The row of the table of positions that belongs to the first token.</summary>
    public int FirstPosition => Architecture.PositionsFollowPadding ? PadId + 1 : 0;

    /// <summary>Rows of the table of positions in the file.</summary>
    public int PositionRows => FirstPosition + MaxPositions;

    /// <summary>How many types of tokens are told apart: 2 where the second text of a pair is marked by its own, else 1.</summary>
    public int TokenTypes => Architecture.PairsHaveTypes && TypeRows > 1 ? 2 : 1;

    /// <summary>All that the network depends on besides its weights.</summary>
    public string Shape => string.Create(CultureInfo.InvariantCulture,
        $"{Dim}|{HiddenDim}|{Heads}|{Layers}|{MaxPositions}|{VocabSize}|{Activation}|{Labels.Count}{OwnShape}");

    // Empty where there was nothing else before other architectures came: what was compiled then is found.
    private string OwnShape => Architecture == Architectures.DistilBert
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"|{Architecture}|{TypeRows}|{PadId}|{LayerNormEpsilon:R}");

    /// <summary>Reads <c>config.json</c>; a member that is absent has Hugging Face's default.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing, is not JSON, or asks for an impossible model.</exception>
    public static EncoderConfig Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        using var json = JsonFile.Read(path, MaxFileBytes);
        return new EncoderConfigReader(path, json.RootElement).Read();
    }

    /// <summary>Checks ranges and divisibility.</summary>
    /// <param name="path">The file to name in the message.</param>
    /// <exception cref="ModelDirectoryException">A value is impossible.</exception>
    public void Validate(string path)
    {
        var members = Architecture.Members;
        Within(members.Dim[0], Dim, 1, 1 << 14);
        Within(members.HiddenDim[0], HiddenDim, 1, 1 << 16);
        Within(members.Heads[0], Heads, 1, Dim);
        Within(members.Layers[0], Layers, 1, 256);
        Within("vocab_size", VocabSize, 4, 1 << 22);
        if (members.PadId is { } pad) Within(pad, PadId, 0, VocabSize - 1);
        // A pair has three special tokens, or four of a byte-level tokeniser.
        Within("max_position_embeddings", PositionRows, FirstPosition + (Tokenizer is TokenizerKind.ByteLevel ? 4 : 3), FirstPosition + (1 << 14));
        if (members.TypeRows is { } types) Within(types, TypeRows, 1, 1 << 10);
        Within("num_labels", Labels.Count, 1, 1 << 12);
        if (LayerNormEpsilon is not (> 0 and <= 1))
            throw new ModelDirectoryException(path, string.Create(CultureInfo.InvariantCulture, $"{members.LayerNormEpsilon} is {LayerNormEpsilon}; it must be above 0, and 1 at most"));
        if (Dim % Heads != 0)
            throw new ModelDirectoryException(path, $"{members.Dim[0]} ({Dim}) is not a multiple of {members.Heads[0]} ({Heads})");
        foreach (var (id, label) in Labels.Index())
            if (!WireName.IsValid(label))
                throw new ModelDirectoryException(path, $"id2label has a name for the id {id} that is longer than {WireName.MaxLength} characters, or has one in it that ends a line or turns the direction of writing");
        if (Labels.Distinct(StringComparer.Ordinal).Count() != Labels.Count)
            throw new ModelDirectoryException(path, "id2label has the same label twice");

        void Within(string name, int value, int minimum, int maximum)
        {
            if (value < minimum || value > maximum)
                throw new ModelDirectoryException(path, $"{name} is {value}; it must be {minimum} to {maximum}");
        }
    }
}
