using Lab.Worker.Checkpoints;
using static Lab.Worker.Checkpoints.DistilBertTensors;
using DataType = Lab.Worker.Graphs.Onnx.TensorProto.Types.DataType;

namespace Lab.Worker.Graphs;

/// <summary>
/// DistilBERT for classification (Sanh et al., arXiv:1910.01108; Hugging Face's
/// <c>DistilBertForSequenceClassification</c>) as an ONNX graph over <em>packed</em> texts: the tokens of a batch stand
/// one after the other, without padding. For attention alone they are copied into sequences of equal length, in which
/// <see cref="AttentionBias"/> keeps each text from seeing the others. Of the last layer only the [CLS] rows are
/// computed, since the classifier reads nothing else.
/// </summary>
internal sealed class DistilBertGraph
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

    /// <summary>Input, int64 [sequences × length]: the token in each slot of a sequence; any token where it is free.</summary>
    public const string SlotTokens = "slot_tokens";

    /// <summary>Input, int32 [tokens]: the slot of each token.</summary>
    public const string TokenSlots = "token_slots";

    /// <summary>Input, int32 [sequences × queries]: the text of each query of the last layer; any text where it is free.</summary>
    public const string QueryTexts = "query_texts";

    /// <summary>Input, int32 [texts]: the query of each text.</summary>
    public const string TextQueries = "text_queries";

    /// <summary>Input, int64 [3]: the number of sequences, −1, and the width of the hidden states.</summary>
    public const string SequencesShape = "sequences_shape";

    /// <summary>Output, float [texts, labels].</summary>
    public const string Logits = "logits";

    private const string RowsShape = "rows_shape";
    private const string SecondAxis = "second_axis";
    private const string One = "one";
    private const string Zero = "zero";
    private const string Center = "center";
    private const string Smallest = "smallest";
    private const string PerStep = "per_step";
    private const string PerPositiveStep = "per_positive_step";

    // GELU is nowhere less than this below zero.
    private const float GeluDepth = 0.17f;

    private readonly OnnxGraph _graph;
    private readonly DistilBertConfig _config;
    private readonly DistilBertWeights _weights;
    private readonly int? _levels;

    // What several products read is made bytes of once.
    private readonly Dictionary<string, (string Bytes, string Scale)> _quantized = [];
    private string _centers = "";
    private readonly HashSet<string> _partSlots = [];

    private DistilBertGraph(DistilBertConfig config, DistilBertWeights weights, int? levels)
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
    public static OnnxGraph Build(DistilBertConfig config, DistilBertWeights weights, int? levels = null)
    {
        var builder = new DistilBertGraph(config, weights, levels);
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
        _graph.Input(SlotTokens, DataType.Int64, "slots");
        _graph.Input(TokenSlots, DataType.Int32, "tokens");
        _graph.Input(QueryTexts, DataType.Int32, "all_queries");
        _graph.Input(TextQueries, DataType.Int32, "texts");
        _graph.Input(SequencesShape, DataType.Int64, "3");
        _graph.Output(Logits, DataType.Float, "texts", $"{_config.Labels.Count}");
        _graph.Constant(RowsShape, -1, _config.Dim);
        _graph.Constant(SecondAxis, 1);
        _graph.Constant(One, 1f);
        _graph.Constant(Zero, 0f);
        if (_levels is not null) Bytes();

        var hidden = Embeddings();
        for (var layer = 0; layer < _config.Layers - 1; layer++) hidden = Layer(layer, hidden);
        hidden = LastLayer(_config.Layers - 1, hidden);
        var pooled = _graph.Node("pooled", "Relu", Linear("pre_classifier", hidden)).Name;
        // A handful of columns: 8 bits would save nothing here.
        Gemm(Logits, pooled, Add("classifier.weight"), Add("classifier.bias"));
    }

    private string Embeddings()
    {
        var words = Words("embeddings.word_embeddings.weight");
        var positions = _graph.Node("positions", "Gather", Add("embeddings.position_embeddings.weight"), PositionIds).Name;
        return AddAndNormalise("embeddings", words, positions, "embeddings.LayerNorm");
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
        var parts = Parts(qkv, 3);
        return Finish(layer, hidden, Attention(layer, parts[0], parts[1], parts[2], AttentionBias, TokenSlots));
    }

    private string LastLayer(int layer, string hidden)
    {
        var keyValue = Product($"layer{layer}.kv", hidden, Stacked(layer, "bias", "k_lin", "v_lin"), InAttention(layer, "k_lin", "v_lin"));
        var parts = Parts(keyValue, 2);
        var cls = _graph.Node("cls", "Gather", hidden, ClsRows).Name;
        if (_levels is not null) _centers = Centers(ClsRows);
        var query = Linear(InLayer(layer, "attention.q_lin"), cls);
        return Finish(layer, cls, Attention(layer, Slots(query, QueryTexts), parts[0], parts[1], ClsBias, TextQueries));
    }

    // Queries, keys and values stand beside each other in a row of their product: as rows below each other they are taken
    // apart and copied into their slots at once.
    private string[] Parts(string product, int count)
    {
        var rows = _graph.Node($"{product}.parts", "Reshape", product, RowsShape).Name;
        return [.. Enumerable.Range(0, count).Select(part => _graph.Node($"{product}.{part}", "Gather", rows, PartSlots(part, count)).Name)];
    }

    private string PartSlots(int part, int count)
    {
        var name = $"part{part}of{count}";
        if (_partSlots.Add(name))
        {
            var first = _graph.Node($"{name}.first", "Mul", SlotTokens, _graph.Constant($"{name}.count", count)).Name;
            _graph.Node(name, "Add", first, _graph.Constant($"{name}.part", part));
        }

        return name;
    }

    private string Slots(string rows, string which) => _graph.Node($"{rows}.slots", "Gather", rows, which).Name;

    // The rows of the heads that belong to what is asked for, out of sequences in which some slots are free.
    private string Attention(int layer, string query, string key, string value, string bias, string slots)
    {
        var output = _graph.Node($"layer{layer}.heads", "MultiHeadAttention", Sequences(query), Sequences(key), Sequences(value), "", "", bias)
            .Contrib().With("num_heads", (long)_config.Heads).Name;
        return _graph.Node($"{output}.rows", "Gather", _graph.Node($"{output}.all", "Reshape", output, RowsShape).Name, slots).Name;

        string Sequences(string rows) => _graph.Node($"{rows}.sequences", "Reshape", rows, SequencesShape).Name;
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
    // fifth of a whole computation; its operator for images, given each token as an image, uses vector instructions.
    private string AddAndNormalise(string output, string input, string residual, string norm)
    {
        var sum = _graph.Node($"{output}.sum", "Add", input, residual).Name;
        var image = _graph.Node($"{output}.image", "Unsqueeze", sum, SecondAxis).Name;
        var normal = _graph.Node($"{output}.normal", "InstanceNormalization", image, One, Zero).With("epsilon", DistilBertConfig.LayerNormEpsilon).Name;
        var rows = _graph.Node($"{output}.rows", "Squeeze", normal, SecondAxis).Name;
        var scaled = _graph.Node($"{output}.scaled", "Mul", rows, Add($"{norm}.weight")).Name;
        return _graph.Node(output, "Add", scaled, Add($"{norm}.bias")).Name;
    }

    private string Linear(string name, string input) =>
        Product($"{name}.output", input, Add($"{name}.bias"), $"{name}.weight");

    // input · weightsᵀ + bias, the weights one below the other.
    private string Product(string output, string input, string? bias, params ReadOnlySpan<string> weights)
    {
        var name = weights.Length == 1 ? weights[0] : $"{output}.weight";
        if (_levels is not { } levels)
            return Gemm(output, input, weights.Length == 1 ? Add(name) : _graph.Add(_weights.Stack(name, weights)), bias);
        var (matrix, scales) = _weights.Quantize(name, levels, weights);
        if (!_quantized.TryGetValue(input, out var rows)) _quantized[input] = rows = Rows(input);
        return Scaled(output, _graph.Node($"{output}.product", "MatMulIntegerToFloat", rows.Bytes, _graph.Add(matrix), One, _graph.Add(scales), Center).Contrib().Name, rows.Scale, bias);
    }

    // A product whose input has a lower bound, which is byte 0: one bit more than a sign would leave.
    private string Outer(string output, string input, string bias, string weight)
    {
        if (_levels is not { } levels) return Gemm(output, input, Add(weight), Add(bias));
        var depth = _config.Activation is Activation.Gelu ? GeluDepth : 0;
        var (matrix, scales) = _weights.Quantize(weight, levels, weight);
        var raised = depth == 0 ? input : _graph.Node($"{input}.raised", "Add", input, _graph.Constant($"{input}.depth", depth)).Name;
        var largest = _graph.Node($"{input}.largest", "ReduceMax", raised).With("axes", [1L]).With("keepdims", 0L).Name;
        var (scale, column) = Scales(input, _graph.Node($"{input}.magnitude", "Max", largest, Smallest).Name, PerPositiveStep);
        var bytes = _graph.Node($"{input}.bytes", "QuantizeLinear", raised, scale).With("axis", 0L).Name;
        var product = _graph.Node($"{output}.product", "MatMulIntegerToFloat", bytes, _graph.Add(matrix), One, _graph.Add(scales)).Contrib().Name;
        return Scaled(output, product, column, _graph.Add(_weights.Lowered(bias, matrix, scales, depth)));
    }

    private void Bytes()
    {
        _graph.ByteConstant(Center, 128);
        // So that dividing by the scale gives no infinity; a row of nothing but zeros has any scale.
        _graph.Constant(Smallest, 1e-30f);
        _graph.Constant(PerStep, 1f / 127);
        _graph.Constant(PerPositiveStep, 1f / 255);
        _centers = Centers(TokenIds);
    }

    private string Centers(string rows) => _graph.Node($"{rows}.centers", "Expand", Center, _graph.Node($"{rows}.shape", "Shape", rows).Name).Name;

    // Each row with a scale of its own (Dettmers et al., arXiv:2208.07339, section 3.1): no text sees what travels with it.
    private (string Bytes, string Scale) Rows(string input)
    {
        var largest = _graph.Node($"{input}.largest", "ReduceMax", input).With("axes", [1L]).With("keepdims", 0L).Name;
        var least = _graph.Node($"{input}.least", "ReduceMin", input).With("axes", [1L]).With("keepdims", 0L).Name;
        var depth = _graph.Node($"{input}.depth", "Neg", least).Name;
        var (scale, column) = Scales(input, _graph.Node($"{input}.magnitude", "Max", largest, depth, Smallest).Name, PerStep);
        return (_graph.Node($"{input}.bytes", "QuantizeLinear", input, scale, _centers).With("axis", 0L).Name, column);
    }

    private (string Scale, string Column) Scales(string input, string magnitude, string perStep)
    {
        var scale = _graph.Node($"{input}.scale", "Mul", magnitude, perStep).Name;
        return (scale, _graph.Node($"{input}.column", "Unsqueeze", scale, SecondAxis).Name);
    }

    private string Scaled(string output, string product, string scale, string? bias) => bias is null
        ? _graph.Node(output, "Mul", product, scale).Name
        : _graph.Node(output, "Add", _graph.Node($"{output}.scaled", "Mul", product, scale).Name, bias).Name;

    // The weight stays [out, in] as it is stored: transposing is done once, when the runtime packs it.
    private string Gemm(string output, string input, string weight, string? bias) =>
        (bias is null ? _graph.Node(output, "Gemm", input, weight) : _graph.Node(output, "Gemm", input, weight, bias))
        .With("transB", 1L).Name;

    private string Add(string name) => _graph.Add(_weights.Get(name));

    private string Stacked(int layer, string kind, params string[] names) =>
        _graph.Add(_weights.Stack(InLayer(layer, $"attention.{string.Join('_', names)}.{kind}"),
            [.. names.Select(name => InLayer(layer, $"attention.{name}.{kind}"))]));

    private static string[] InAttention(int layer, params string[] names) => [.. names.Select(name => InLayer(layer, $"attention.{name}.weight"))];
}
