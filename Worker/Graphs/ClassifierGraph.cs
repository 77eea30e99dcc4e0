using Lab.Worker.Checkpoints;
using static Lab.Worker.Checkpoints.EncoderTensors;
using DataType = Lab.Worker.Graphs.Onnx.TensorProto.Types.DataType;

namespace Lab.Worker.Graphs;

/// <summary>
/// DistilBERT for classification (Sanh et al., arXiv:1910.01108; Hugging Face's
/// <c>DistilBertForSequenceClassification</c>) as an ONNX graph over <em>packed</em> texts: the tokens of a batch stand
/// one after the other, without padding. For attention alone they are copied into sequences of equal length, in which
/// <see cref="AttentionBias"/> keeps each text from seeing the others. Of the last layer only the [CLS] rows are
/// computed, since the classifier reads nothing else.
/// </summary>
internal sealed partial class ClassifierGraph
{
    /// <summary>Input, int32 [tokens]: the token ids of all texts, each [CLS] … [SEP].</summary>
    public const string TokenIds = "token_ids";

    /// <summary>Input, int32 [tokens]: each token's position within its own text, from 0.</summary>
    public const string PositionIds = "position_ids";

    /// <summary>Input, float [sequences or 1, 1, length, length]: 0 where row and column are of the same text, else a large negative number.</summary>
    public const string AttentionBias = "attention_bias";

    /// <summary>Input, float [sequences or 1, 1, queries, length]: the rows of <see cref="AttentionBias"/> at [CLS].</summary>
    public const string ClsBias = "cls_bias";

    /// <summary>Input, int32 [texts]: where each text's [CLS] stands.</summary>
    public const string ClsRows = "cls_rows";

    /// <summary>Input, int64 [sequences, length]: the token in each slot of a sequence; any token where it is free.</summary>
    public const string SlotTokens = "slot_tokens";

    /// <summary>Input, int32 [tokens]: the slot of each token.</summary>
    public const string TokenSlots = "token_slots";

    /// <summary>Input, int32 [sequences, queries]: the text of each query of the last layer; any text where it is free.</summary>
    public const string QueryTexts = "query_texts";

    /// <summary>Input, int32 [texts]: the query of each text.</summary>
    public const string TextQueries = "text_queries";

    /// <summary>Output, float [texts, labels].</summary>
    public const string Logits = "logits";

    private const string RowsShape = "rows_shape";
    private const string ImagesShape = "images_shape";
    private const string HeadsShape = "heads_shape";
    private const string SecondAxis = "second_axis";
    private const string ImageAxes = "image_axes";
    private const string SlotHeads = "slot_heads";
    private const string One = "one";
    private const string Zero = "zero";

    private readonly OnnxGraph _graph;
    private readonly EncoderConfig _config;
    private readonly EncoderWeights _weights;
    private readonly int? _levels;

    private readonly HashSet<string> _indices = [];

    private ClassifierGraph(EncoderConfig config, EncoderWeights weights, int? levels)
    {
        _config = config;
        _weights = weights;
        _graph = new();
        _levels = levels;
    }

    /// <summary>Builds the graph of a model.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The model's weights.</param>
    /// <param name="levels">The largest magnitude of 8-bit weights; null keeps them as floats.</param>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public static OnnxGraph Build(EncoderConfig config, EncoderWeights weights, int? levels = null)
    {
        var builder = new ClassifierGraph(config, weights, levels);
        builder.Build();
        return builder._graph;
    }

    private void Build()
    {
        _graph.Input(TokenIds, DataType.Int32, "tokens");
        _graph.Input(PositionIds, DataType.Int32, "tokens");
        _graph.Input(AttentionBias, DataType.Float, "biases", "1", "length", "length");
        _graph.Input(ClsBias, DataType.Float, "biases", "1", "queries", "length");
        _graph.Input(ClsRows, DataType.Int32, "texts");
        _graph.Input(SlotTokens, DataType.Int64, "sequences", "length");
        _graph.Input(TokenSlots, DataType.Int32, "tokens");
        _graph.Input(QueryTexts, DataType.Int32, "sequences", "queries");
        _graph.Input(TextQueries, DataType.Int32, "texts");
        _graph.Output(Logits, DataType.Float, "texts", $"{_config.Labels.Count}");
        _graph.Constant(RowsShape, -1, _config.Dim);
        _graph.Constant(ImagesShape, -1, 1, _config.Dim);
        _graph.Constant(HeadsShape, -1, _config.Dim / _config.Heads);
        _graph.Constant(SecondAxis, 1);
        _graph.Constant(ImageAxes, 1, 2);
        _graph.Node(SlotHeads, "Unsqueeze", SlotTokens, SecondAxis);
        _graph.Constant(One, 1f);
        _graph.Constant(Zero, 0f);
        if (_levels is not null) Quantization();

        var hidden = Embeddings();
        for (var layer = 0; layer < _config.Layers - 1; layer++) hidden = Layer(layer, hidden);
        hidden = LastLayer(_config.Layers - 1, hidden);
        var pooled = _graph.Node("pooled", "Relu", Rows(Linear("pre_classifier", hidden))).Name;
        // A handful of columns: 8 bits would save nothing here.
        _graph.Node(Logits, "Gemm", pooled, Add("classifier.weight"), Add("classifier.bias")).With("transB", 1L);
    }

    private string Embeddings()
    {
        var words = Words("embeddings.word_embeddings.weight");
        var positions = _graph.Node("positions", "Gather", Add("embeddings.position_embeddings.weight"), PositionIds).Name;
        var images = new[] { words, positions }.Select(rows => _graph.Node($"{rows}.images", "Unsqueeze", rows, SecondAxis).Name).ToArray();
        return AddAndNormalise("embeddings", images[0], images[1], "embeddings.LayerNorm");
    }

    // The largest matrix by far, of which a text reads a few rows: where the others have 8 bits, 16 are exact enough for it,
    // and half of it is mapped.
    private string Words(string name)
    {
        var table = _levels is null ? _weights.Get(name) : _weights.GetHalf(name);
        var rows = _graph.Node("words", "Gather", _graph.Add(table), TokenIds).Name;
        return table.Type is WeightType.Half ? _graph.Node("words.float", "Cast", rows).With("to", (long)DataType.Float).Name : rows;
    }

    private string Layer(int layer, string hidden)
    {
        var qkv = Product($"layer{layer}.qkv", hidden, Stacked(layer, "bias", "q_lin", "k_lin", "v_lin"), InAttention(layer, "q_lin", "k_lin", "v_lin"));
        var query = _graph.Node($"{qkv}.query", "Gather", Rows(qkv), Part(0, 3)).Name;
        return Finish(layer, hidden, Attention(layer, query, qkv, 3, AttentionBias, TokenSlots));
    }

    private string LastLayer(int layer, string hidden)
    {
        var keyValue = Product($"layer{layer}.kv", hidden, Stacked(layer, "bias", "k_lin", "v_lin"), InAttention(layer, "k_lin", "v_lin"));
        var cls = _graph.Node("cls", "Gather", hidden, ClsRows).Name;
        if (_levels is not null) Zeros(ClsRows);
        var query = _graph.Node("queries", "Gather", Rows(Linear(InLayer(layer, "attention.q_lin"), cls)), QueryTexts).Name;
        return Finish(layer, cls, Attention(layer, query, keyValue, 2, ClsBias, TextQueries));
    }

    // Queries, keys and values stand beside each other in a row of their product: as rows below each other they are taken
    // apart and copied into their slots at once; keys and values head by head, as the operator for attention would order them.
    private string Part(int part, int count) => Indices($"part{part}of{count}", SlotTokens, count, [part]);

    private string HeadsOf(string product, int part, int count)
    {
        var rows = _graph.Node($"{product}.heads{part}", "Reshape", product, HeadsShape).Name;
        var first = part * _config.Heads;
        var indices = Indices($"heads{part}of{count}", SlotHeads, count * _config.Heads, [.. Enumerable.Range(first, _config.Heads).Select(head => (long)head)]);
        return _graph.Node($"{product}.{part}", "Gather", rows, indices).Name;
    }

    // Where in each row of so many parts these are, one below the other.
    private string Indices(string name, string rows, int count, params ReadOnlySpan<long> parts)
    {
        if (!_indices.Add(name)) return name;
        var first = _graph.Node($"{name}.first", "Mul", rows, _graph.Constant($"{name}.count", count)).Name;
        var column = _graph.Node($"{name}.column", "Unsqueeze", _graph.Constant($"{name}.parts", parts), SecondAxis).Name;
        return _graph.Node(name, "Add", first, column).Name;
    }

    // The rows of the heads that belong to what is asked for, out of sequences in which some slots are free.
    private string Attention(int layer, string query, string keyValue, int count, string bias, string slots)
    {
        var output = _graph.Node($"layer{layer}.heads", "MultiHeadAttention", query, HeadsOf(keyValue, count - 2, count), HeadsOf(keyValue, count - 1, count), "", "", bias)
            .Contrib().With("num_heads", (long)_config.Heads).Name;
        return _graph.Node($"{output}.rows", "Gather", _graph.Node($"{output}.all", "Reshape", output, ImagesShape).Name, slots).Name;
    }

    private string Finish(int layer, string hidden, string heads)
    {
        var attention = Product($"layer{layer}.attention", heads, Add(InLayer(layer, "attention.out_lin.bias")), InLayer(layer, "attention.out_lin.weight"));
        var attended = AddAndNormalise($"layer{layer}.attended", attention, hidden,
            InLayer(layer, "sa_layer_norm"));
        var inner = Product($"layer{layer}.inner", attended, null, InLayer(layer, "ffn.lin1.weight"));
        var output = Outer($"layer{layer}.outer", Activated(layer, inner), InLayer(layer, "ffn.lin2.bias"), InLayer(layer, "ffn.lin2.weight"));
        return AddAndNormalise($"layer{layer}.output", output, attended,
            InLayer(layer, "output_layer_norm"));
    }

    private string Activated(int layer, string inner)
    {
        var bias = Add(InLayer(layer, "ffn.lin1.bias"));
        if (_config.Activation is Activation.Gelu)
            return _graph.Node($"layer{layer}.activated", "BiasGelu", inner, bias).Contrib().Name;
        return _graph.Node($"layer{layer}.activated", "Relu", _graph.Node($"layer{layer}.biased", "Add", inner, bias).Name).Name;
    }

    // (Ba et al., arXiv:1607.06450.) The runtime's fused operator for this works through one number at a time, and takes a
    // fifth of a whole computation; its operator for images uses vector instructions: each token is an image of one row.
    private string AddAndNormalise(string output, string input, string residual, string norm)
    {
        var sum = _graph.Node($"{output}.sum", "Add", input, residual).Name;
        var normal = _graph.Node($"{output}.normal", "InstanceNormalization", sum, One, Zero).With("epsilon", EncoderConfig.LayerNormEpsilon).Name;
        var scaled = _graph.Node($"{output}.scaled", "Mul", normal, Add($"{norm}.weight")).Name;
        return _graph.Node(output, "Add", scaled, Add($"{norm}.bias")).Name;
    }

    private string Linear(string name, string input) =>
        Product($"{name}.output", input, Add($"{name}.bias"), $"{name}.weight");

    private string Rows(string images) => _graph.Node($"{images}.rows", "Reshape", images, RowsShape).Name;

    private string Add(string name) => _graph.Add(_weights.Get(name));

    private string Stacked(int layer, string kind, params string[] names) =>
        _graph.Add(_weights.Stack(InLayer(layer, $"attention.{string.Join('_', names)}.{kind}"),
            [.. names.Select(name => InLayer(layer, $"attention.{name}.{kind}"))]));

    private static string[] InAttention(int layer, params string[] names) => [.. names.Select(name => InLayer(layer, $"attention.{name}.weight"))];
}
