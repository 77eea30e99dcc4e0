using static Lab.Worker.ModelBuilding.DistilBertTensors;
using DataType = Lab.Worker.ModelBuilding.Onnx.TensorProto.Types.DataType;

namespace Lab.Worker.ModelBuilding;

/// <summary>
/// DistilBERT for classification (Sanh et al., arXiv:1910.01108; Hugging Face's
/// <c>DistilBertForSequenceClassification</c>) as an ONNX graph over <em>packed</em> texts: the texts of a batch stand
/// one after the other in a single sequence, without padding, and <see cref="AttentionBias"/> keeps each from seeing
/// the others. Of the last layer only the [CLS] rows are computed, since the classifier reads nothing else.
/// </summary>
internal sealed class DistilBertGraph
{
    /// <summary>Input, int32 [tokens]: the token ids of all texts, each [CLS] … [SEP].</summary>
    public const string TokenIds = "token_ids";

    /// <summary>Input, int32 [tokens]: each token's position within its own text, from 0.</summary>
    public const string PositionIds = "position_ids";

    /// <summary>Input, float [1, 1, tokens, tokens]: 0 where row and column are of the same text, else a large negative number.</summary>
    public const string AttentionBias = "attention_bias";

    /// <summary>Input, int32 [texts]: where each text's [CLS] stands.</summary>
    public const string ClsRows = "cls_rows";

    /// <summary>Output, float [texts, labels].</summary>
    public const string Logits = "logits";

    private const string FirstAxis = "first_axis";

    private readonly OnnxGraph _graph = new();
    private readonly DistilBertConfig _config;
    private readonly DistilBertWeights _weights;

    private DistilBertGraph(DistilBertConfig config, DistilBertWeights weights)
    {
        _config = config;
        _weights = weights;
    }

    /// <summary>Builds the graph of a model.</summary>
    /// <exception cref="ModelDirectoryException">A weight is not finite.</exception>
    public static OnnxGraph Build(DistilBertConfig config, DistilBertWeights weights)
    {
        var builder = new DistilBertGraph(config, weights);
        builder.Build();
        return builder._graph;
    }

    private void Build()
    {
        _graph.Input(TokenIds, DataType.Int32, "tokens");
        _graph.Input(PositionIds, DataType.Int32, "tokens");
        _graph.Input(AttentionBias, DataType.Float, "1", "1", "tokens", "tokens");
        _graph.Input(ClsRows, DataType.Int32, "texts");
        _graph.Output(Logits, DataType.Float, "texts", $"{_config.Labels.Count}");
        _graph.Constant(FirstAxis, 0);

        var hidden = Embeddings();
        for (var layer = 0; layer < _config.Layers - 1; layer++) hidden = Layer(layer, hidden);
        hidden = LastLayer(_config.Layers - 1, hidden);
        var pooled = _graph.Node("pooled", "Relu", Linear("pre_classifier", hidden)).Name;
        Linear("classifier", pooled, Logits);
    }

    private string Embeddings()
    {
        var words = _graph.Node("words", "Gather", Add("embeddings.word_embeddings.weight"), TokenIds).Name;
        var positions = _graph.Node("positions", "Gather", Add("embeddings.position_embeddings.weight"), PositionIds).Name;
        return AddAndNormalise("embeddings", words, positions, "embeddings.LayerNorm");
    }

    private string Layer(int layer, string hidden)
    {
        var qkv = Gemm($"layer{layer}.qkv", hidden,
            Stacked(layer, "weight", "q_lin", "k_lin", "v_lin"), Stacked(layer, "bias", "q_lin", "k_lin", "v_lin"));
        string query = $"layer{layer}.query", key = $"layer{layer}.key", value = $"layer{layer}.value";
        _graph.Node(query, "Split", qkv).With("axis", 1L).AlsoTo(key, value);
        return Finish(layer, hidden, Attention(layer, query, key, value, AttentionBias));
    }

    private string LastLayer(int layer, string hidden)
    {
        var keyValue = Gemm($"layer{layer}.kv", hidden,
            Stacked(layer, "weight", "k_lin", "v_lin"), Stacked(layer, "bias", "k_lin", "v_lin"));
        string key = $"layer{layer}.key", value = $"layer{layer}.value";
        _graph.Node(key, "Split", keyValue).With("axis", 1L).AlsoTo(value);
        var cls = _graph.Node("cls", "Gather", hidden, ClsRows).Name;
        var query = Linear(InLayer(layer, "attention.q_lin"), cls);
        var bias = _graph.Node("cls_bias", "Gather", AttentionBias, ClsRows).With("axis", 2L).Name;
        return Finish(layer, cls, Attention(layer, query, key, value, bias));
    }

    private string Attention(int layer, string query, string key, string value, string bias)
    {
        var output = _graph.Node($"layer{layer}.heads", "MultiHeadAttention", Batched(query), Batched(key), Batched(value), "", "", bias)
            .Contrib().With("num_heads", (long)_config.Heads).Name;
        return _graph.Node($"{output}.rows", "Squeeze", output, FirstAxis).Name;

        // The operator wants a batch dimension; packed texts are a batch of one.
        string Batched(string rows) => _graph.Node($"{rows}.batched", "Unsqueeze", rows, FirstAxis).Name;
    }

    private string Finish(int layer, string hidden, string heads)
    {
        var attention = Gemm($"layer{layer}.attention", heads, Add(InLayer(layer, "attention.out_lin.weight")));
        var attended = AddAndNormalise($"layer{layer}.attended", attention, hidden,
            InLayer(layer, "sa_layer_norm"), Add(InLayer(layer, "attention.out_lin.bias")));
        var inner = Gemm($"layer{layer}.inner", attended, Add(InLayer(layer, "ffn.lin1.weight")));
        var output = Gemm($"layer{layer}.outer", Activated(layer, inner), Add(InLayer(layer, "ffn.lin2.weight")));
        return AddAndNormalise($"layer{layer}.output", output, attended,
            InLayer(layer, "output_layer_norm"), Add(InLayer(layer, "ffn.lin2.bias")));
    }

    private string Activated(int layer, string inner)
    {
        var bias = Add(InLayer(layer, "ffn.lin1.bias"));
        if (_config.Activation is Activation.Gelu)
            return _graph.Node($"layer{layer}.activated", "BiasGelu", inner, bias).Contrib().Name;
        return _graph.Node($"layer{layer}.activated", "Relu", _graph.Node($"layer{layer}.biased", "Add", inner, bias).Name).Name;
    }

    private string AddAndNormalise(string output, string input, string residual, string norm, string? bias = null)
    {
        string scale = Add($"{norm}.weight"), shift = Add($"{norm}.bias");
        var node = bias is null
            ? _graph.Node(output, "SkipLayerNormalization", input, residual, scale, shift)
            : _graph.Node(output, "SkipLayerNormalization", input, residual, scale, shift, bias);
        return node.Contrib().With("epsilon", DistilBertConfig.LayerNormEpsilon).Name;
    }

    private string Linear(string name, string input, string? output = null) =>
        Gemm(output ?? $"{name}.output", input, Add($"{name}.weight"), Add($"{name}.bias"));

    // The weight stays [out, in] as it is stored: transposing is done once, when the runtime packs it.
    private string Gemm(string output, string input, string weight, string? bias = null) =>
        (bias is null ? _graph.Node(output, "Gemm", input, weight) : _graph.Node(output, "Gemm", input, weight, bias))
        .With("transB", 1L).Name;

    private string Add(string name) => _graph.Add(_weights.Get(name));

    private string Stacked(int layer, string kind, params string[] names) =>
        _graph.Add(_weights.Stack(InLayer(layer, $"attention.{string.Join('_', names)}.{kind}"),
            [.. names.Select(name => InLayer(layer, $"attention.{name}.{kind}"))]));
}
