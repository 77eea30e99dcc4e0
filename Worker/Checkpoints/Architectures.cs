namespace Lab.Worker.Checkpoints;

/// <summary>The architectures that can be served.</summary>
internal static class Architectures
{
    private static readonly ConfigNames BertMembers = new()
    {
        Dim = ["hidden_size"],
        HiddenDim = ["intermediate_size"],
        Heads = ["num_attention_heads"],
        Layers = ["num_hidden_layers"],
        Activation = "hidden_act",
        LayerNormEpsilon = "layer_norm_eps",
        TypeRows = "type_vocab_size",
    };

    // Of training, and of how Google's own program pooled its output, which transformers has in one way only.
    private static readonly string[] BertUnused =
    [
        "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "directionality",
        "pooler_type", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
    ];

    /// <summary>DistilBERT (Sanh et al., arXiv:1910.01108).</summary>
    public static EncoderArchitecture DistilBert { get; } = new()
    {
        ModelType = "distilbert",
        ClassName = "DistilBertForSequenceClassification",
        Prefix = "distilbert.",
        TensorNames = Names("distilbert.", "transformer.layer.{0}.",
            ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm"],
            "pre_classifier", "classifier"),
        UnusedTensors = ["vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "qa_outputs."],
        Members = new()
        {
            Dim = ["dim", "hidden_size"],
            HiddenDim = ["hidden_dim"],
            Heads = ["n_heads", "num_attention_heads"],
            Layers = ["n_layers", "num_hidden_layers"],
            Activation = "activation",
        },
        // Positions are read from the weights, however they were made. The last are BERT's, from which models are distilled:
        // transformers does not look at them in a DistilBERT either.
        UnusedMembers =
        [
            "dropout", "attention_dropout", "seq_classif_dropout", "qa_dropout", "sinusoidal_pos_embds", "tie_weights_",
            "hidden_act", "intermediate_size", "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "layer_norm_eps", "type_vocab_size",
        ],
        Layers = 6,
        VocabSize = 30522,
        Head = HeadActivation.Relu,
        Tokenizer = TokenizerKind.WordPiece,
    };

    /// <summary>BERT (Devlin et al., arXiv:1810.04805).</summary>
    public static EncoderArchitecture Bert { get; } = new()
    {
        ModelType = "bert",
        ClassName = "BertForSequenceClassification",
        Prefix = "bert.",
        TensorNames = BertNames("bert.", "bert.pooler.dense", "classifier"),
        UnusedTensors = ["cls.", "qa_outputs."],
        Members = BertMembers,
        UnusedMembers = BertUnused,
        Layers = 12,
        VocabSize = 30522,
        TypeRows = 2,
        PairsHaveTypes = true,
        Head = HeadActivation.Tanh,
        Tokenizer = TokenizerKind.WordPiece,
    };

    /// <summary>RoBERTa (Liu et al., arXiv:1907.11692): BERT's encoder; its tokenizer gives all tokens of a pair one type.</summary>
    public static EncoderArchitecture Roberta { get; } = new()
    {
        ModelType = "roberta",
        ClassName = "RobertaForSequenceClassification",
        Prefix = "roberta.",
        TensorNames = BertNames("roberta.", "classifier.dense", "classifier.out_proj"),
        UnusedTensors = ["lm_head.", "qa_outputs.", "roberta.pooler.", "pooler."],
        Members = BertMembers with { PadId = "pad_token_id" },
        UnusedMembers = [.. BertUnused, "normalize_embeddings"],
        Layers = 12,
        VocabSize = 50265,
        TypeRows = 2,
        PadId = 1,
        PositionsFollowPadding = true,
        Head = HeadActivation.Tanh,
        Tokenizer = TokenizerKind.ByteLevel,
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<EncoderArchitecture> All { get; } = [DistilBert, Bert, Roberta];

    /// <summary>Their types, as in messages.</summary>
    public static string Types { get; } = $"{string.Join(", ", All.SkipLast(1))} and {All[^1]}";

    /// <summary>The architecture of a <c>model_type</c>, or null.</summary>
    public static EncoderArchitecture? Find(string modelType) => All.FirstOrDefault(one => one.ModelType == modelType);

    private static Dictionary<string, string> BertNames(string prefix, string dense, string output) => Names(prefix, "encoder.layer.{0}.",
        [
            "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
            "intermediate.dense", "output.dense", "output.LayerNorm",
        ],
        dense, output);

    // The embeddings have the same names in all; those within a layer stand in the order of EncoderTensors.LayerParts.
    private static Dictionary<string, string> Names(string prefix, string layer, string[] parts, string dense, string output)
    {
        var names = EncoderTensors.LayerParts.Zip(parts).ToDictionary(pair => pair.First, pair => prefix + layer + pair.Second, StringComparer.Ordinal);
        names.Add(EncoderTensors.Words, $"{prefix}embeddings.word_embeddings");
        names.Add(EncoderTensors.Positions, $"{prefix}embeddings.position_embeddings");
        names.Add(EncoderTensors.Types, $"{prefix}embeddings.token_type_embeddings");
        names.Add(EncoderTensors.EmbeddingNorm, $"{prefix}embeddings.LayerNorm");
        names.Add(EncoderTensors.HeadDense, dense);
        names.Add(EncoderTensors.HeadOutput, output);
        return names;
    }
}
