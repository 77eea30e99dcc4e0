using System.Text.Json;
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

/// <summary>
/// The shape of a DistilBERT classifier (Sanh et al., arXiv:1910.01108) by Hugging Face's <c>config.json</c>.
/// </summary>
internal sealed record EncoderConfig
{
    /// <summary>The file's name within a model directory.</summary>
    public const string FileName = "config.json";

    /// <summary>Added to the variance in every layer normalisation; DistilBERT has no setting for it.</summary>
    public const float LayerNormEpsilon = 1e-12f;

    private const int MaxFileBytes = 4 << 20;

    /// <summary>Width of the hidden states, a multiple of <see cref="Heads"/>.</summary>
    public int Dim { get; init; } = 768;

    /// <summary>Width of the feed-forward network's inner layer.</summary>
    public int HiddenDim { get; init; } = 3072;

    /// <summary>Attention heads in each layer.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Transformer layers.</summary>
    public int Layers { get; init; } = 6;

    /// <summary>The longest input in tokens, [CLS] and [SEP] included.</summary>
    public int MaxPositions { get; init; } = 512;

    /// <summary>Rows of the word embeddings: as many as there are tokens, or padded.</summary>
    public int VocabSize { get; init; } = 30522;

    /// <summary>How its texts become tokens.</summary>
    public TokenizerKind Tokenizer { get; init; } = TokenizerKind.WordPiece;

    /// <summary>The feed-forward network's activation.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>How scores are made of logits.</summary>
    public ProblemType Problem { get; init; } = ProblemType.SingleLabel;

    /// <summary>The classes in the order of their ids, at least one.</summary>
    public IReadOnlyList<string> Labels { get; init; } = ["NEGATIVE", "POSITIVE"];

    /// <summary>Reads <c>config.json</c>; a member that is absent has Hugging Face's default.</summary>
    /// <exception cref="ModelDirectoryException">The file is missing, is not JSON, or asks for an impossible model.</exception>
    public static EncoderConfig Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        using var json = JsonFile.Read(path, MaxFileBytes);
        return new Reader(path, json.RootElement).Read();
    }

    /// <summary>Checks ranges and divisibility.</summary>
    /// <param name="path">The file to name in the message.</param>
    /// <exception cref="ModelDirectoryException">A value is impossible.</exception>
    public void Validate(string path)
    {
        Within("dim", Dim, 1, 1 << 14);
        Within("hidden_dim", HiddenDim, 1, 1 << 16);
        Within("n_heads", Heads, 1, Dim);
        Within("n_layers", Layers, 1, 256);
        Within("max_position_embeddings", MaxPositions, 3, 1 << 14);
        Within("vocab_size", VocabSize, 4, 1 << 22);
        Within("num_labels", Labels.Count, 1, 1 << 12);
        if (Dim % Heads != 0)
            throw new ModelDirectoryException(path, $"dim ({Dim}) is not a multiple of n_heads ({Heads})");
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

    private readonly ref struct Reader(string path, JsonElement root)
    {
        public EncoderConfig Read()
        {
            if (root.ValueKind is not JsonValueKind.Object) throw Wrong("is not a JSON object");
            var type = Text("model_type");
            if (type is null) throw Wrong("model_type is missing; it must be distilbert");
            if (type is not "distilbert") throw Wrong($"model_type is \"{type}\"; only distilbert can be served");
            ConfigMembers.Check(JsonMembers.Of(path, root));
            var standard = new EncoderConfig();
            var config = new EncoderConfig
            {
                Dim = Number("dim", "hidden_size") ?? standard.Dim,
                HiddenDim = Number("hidden_dim") ?? standard.HiddenDim,
                Heads = Number("n_heads", "num_attention_heads") ?? standard.Heads,
                Layers = Number("n_layers", "num_hidden_layers") ?? standard.Layers,
                MaxPositions = Number("max_position_embeddings") ?? standard.MaxPositions,
                VocabSize = Number("vocab_size") ?? standard.VocabSize,
                Activation = Text("activation") switch
                {
                    null or "gelu" => Activation.Gelu,
                    "relu" => Activation.Relu,
                    var other => throw Wrong($"activation is \"{other}\"; it must be gelu or relu"),
                },
                Problem = Text("problem_type") switch
                {
                    null or "single_label_classification" => ProblemType.SingleLabel,
                    "multi_label_classification" => ProblemType.MultiLabel,
                    "regression" => ProblemType.Regression,
                    var other => throw Wrong($"problem_type is \"{other}\"; it must be single_label_classification, multi_label_classification or regression"),
                },
                Labels = Labels(),
            };
            config.Validate(path);
            return config;
        }

        private string[] Labels()
        {
            var count = Number("num_labels");
            if (!root.TryGetProperty("id2label", out var map) || map.ValueKind is JsonValueKind.Null)
            {
                // Bounded before anything of that size is made.
                if (count is < 1 or > 1 << 12) throw Wrong($"num_labels is {count}; it must be 1 to {1 << 12}");
                return [.. Enumerable.Range(0, count ?? 2).Select(id => $"LABEL_{id}")];
            }

            if (map.ValueKind is not JsonValueKind.Object) throw Wrong("id2label is not an object");
            var labels = new string?[map.EnumerateObject().Count()];
            foreach (var entry in map.EnumerateObject())
            {
                if (!int.TryParse(entry.Name, out var id) || id < 0 || id >= labels.Length || labels[id] is not null)
                    throw Wrong($"id2label has the id \"{entry.Name}\"; ids must be 0 to {labels.Length - 1}, each once");
                labels[id] = entry.Value.ValueKind is JsonValueKind.String && entry.Value.GetString() is { Length: > 0 } label
                    ? label
                    : throw Wrong($"id2label has no name for the id {id}");
            }

            if (count is not null && count != labels.Length)
                throw Wrong($"num_labels is {count}, but id2label has {labels.Length} labels");
            return labels!;
        }

        // The names that Hugging Face has for all models (attribute_map of its EncoderConfig).
        private int? Number(string name, string alias)
        {
            var (own, other) = (Number(name), Number(alias));
            return own is null || other is null || own == other ? own ?? other : throw Wrong($"{name} is {own}, but {alias} is {other}");
        }

        private int? Number(string name)
        {
            if (!root.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) return null;
            return value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number)
                ? number
                : throw Wrong($"{name} is not a whole number of 32 bits");
        }

        private string? Text(string name)
        {
            if (!root.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null) return null;
            return value.ValueKind is JsonValueKind.String ? value.GetString() : throw Wrong($"{name} is not a string");
        }

        private ModelDirectoryException Wrong(string problem) => new(path, problem);
    }
}
