namespace Lab.Worker.Tests.Inference;

/// <summary><c>config.json</c> of much-used models of the hub: the members that their kind of file has, with their values.</summary>
internal static class HubConfigs
{
    private const string Bert = """
        "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "initializer_range": 0.02, "max_position_embeddings": 512,
        "layer_norm_eps": 1e-12, "model_type": "bert", "pad_token_id": 0, "type_vocab_size": 2
        """;

    private const string Base = """ "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12 """;

    private const string Roberta = """
        "architectures": ["RobertaForSequenceClassification"], "attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "initializer_range": 0.02, "layer_norm_eps": 1e-05, "max_position_embeddings": 514, "model_type": "roberta",
        "pad_token_id": 1, "position_embedding_type": "absolute", "type_vocab_size": 1, "use_cache": true, "vocab_size": 50265, "gradient_checkpointing": false
        """;

    private const string DistilBert = """
        "activation": "gelu", "architectures": ["DistilBertForSequenceClassification"], "attention_dropout": 0.1, "dim": 768, "dropout": 0.1, "hidden_dim": 3072,
        "initializer_range": 0.02, "max_position_embeddings": 512, "model_type": "distilbert", "n_heads": 12, "n_layers": 6, "pad_token_id": 0,
        "qa_dropout": 0.1, "seq_classif_dropout": 0.2, "sinusoidal_pos_embds": false, "tie_weights_": true
        """;

    /// <summary>Those that can be served, by name.</summary>
    public static IReadOnlyDictionary<string, HubConfig> Served { get; } = new Dictionary<string, HubConfig>
    {
        ["distilbert/distilbert-base-uncased-finetuned-sst-2-english"] = new($$"""
            { {{DistilBert}}, "finetuning_task": "sst-2", "id2label": {"0":"NEGATIVE","1":"POSITIVE"}, "label2id": {"NEGATIVE":0,"POSITIVE":1}, "output_past": true, "vocab_size": 30522 }
            """),
        ["lxyuan/distilbert-base-multilingual-cased-sentiments-student"] = new($$"""
            { {{DistilBert}}, "_name_or_path": "distilbert-base-multilingual-cased", "id2label": {"0":"positive","1":"neutral","2":"negative"}, "torch_dtype": "float32", "transformers_version": "4.28.1", "vocab_size": 119547 }
            """),
        ["cardiffnlp/twitter-roberta-base-sentiment-latest"] = new($$"""
            { {{Roberta}}, {{Base}}, "_name_or_path": "tweeteval_new/roberta-base-rt-sentiment/", "classifier_dropout": null, "id2label": {"0":"negative","1":"neutral","2":"positive"}, "torch_dtype": "float32", "transformers_version": "4.13.0.dev0" }
            """,
            "roberta.embeddings.position_ids", "roberta.pooler.dense.weight", "roberta.pooler.dense.bias", "lm_head.bias", "lm_head.dense.weight"),
        ["SamLowe/roberta-base-go_emotions"] = new($$"""
            { {{Roberta}}, {{Base}}, "_name_or_path": "roberta-base", "classifier_dropout": null, "id2label": { {{string.Join(',', Enumerable.Range(0, 28).Select(i => $"\"{i}\":\"emotion{i}\""))}} }, "problem_type": "multi_label_classification" }
            """),
        ["j-hartmann/emotion-english-distilroberta-base"] = new($$"""
            { {{Roberta}}, "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 6, "id2label": {"0":"anger","1":"disgust","2":"fear","3":"joy","4":"neutral","5":"sadness","6":"surprise"} }
            """,
            "roberta.embeddings.position_ids"),
        ["ProsusAI/finbert"] = new($$"""
            { {{Bert}}, {{Base}}, "_name_or_path": "/home/ubuntu/finbert", "architectures": ["BertForSequenceClassification"], "gradient_checkpointing": false, "id2label": {"0":"positive","1":"negative","2":"neutral"}, "label2id": {"positive":0,"negative":1,"neutral":2}, "position_embedding_type": "absolute", "vocab_size": 30522 }
            """,
            "bert.embeddings.position_ids"),
        ["nlptown/bert-base-multilingual-uncased-sentiment"] = new($$"""
            { {{Bert}}, {{Base}}, "_num_labels": 5, "architectures": ["BertForSequenceClassification"], "classifier_dropout": null, "directionality": "bidi", "finetuning_task": "sentiment-analysis", "id2label": {"0":"1 star","1":"2 stars","2":"3 stars","3":"4 stars","4":"5 stars"}, "output_past": true, "pooler_fc_size": 768, "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3, "pooler_size_per_head": 128, "pooler_type": "first_token_transform", "position_embedding_type": "absolute", "torch_dtype": "float32", "use_cache": true, "vocab_size": 105879 }
            """,
            "bert.embeddings.position_ids"),
        ["unitary/toxic-bert"] = new($$"""
            { {{Bert}}, {{Base}}, "_name_or_path": "bert-base-uncased", "architectures": ["BertForSequenceClassification"], "id2label": {"0":"toxic","1":"severe_toxic","2":"obscene","3":"threat","4":"insult","5":"identity_hate"}, "problem_type": "multi_label_classification", "gradient_checkpointing": false, "vocab_size": 30522 }
            """,
            "bert.embeddings.position_ids"),
        ["cross-encoder/ms-marco-MiniLM-L-6-v2"] = new($$"""
            { {{Bert}}, "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12, "num_hidden_layers": 6, "architectures": ["BertForSequenceClassification"], "gradient_checkpointing": false, "id2label": {"0":"LABEL_0"}, "label2id": {"LABEL_0":0}, "position_embedding_type": "absolute", "use_cache": true, "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity", "version": "4.0.1"}, "vocab_size": 30522 }
            """),
    };

    /// <summary>Those that cannot, by name, with the line that says why.</summary>
    public static IReadOnlyDictionary<string, (string Json, string Line)> Refused { get; } = new Dictionary<string, (string Json, string Line)>
    {
        ["sentence-transformers/all-MiniLM-L6-v2"] = (
            $$"""{ {{Bert}}, "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12, "num_hidden_layers": 6, "architectures": ["BertModel"], "vocab_size": 30522 }""",
            "architectures is \"BertModel\", an encoder without a classifier; only BertForSequenceClassification can be served"),
        ["dslim/bert-base-NER"] = (
            $$"""{ {{Bert}}, {{Base}}, "_num_labels": 9, "architectures": ["BertForTokenClassification"], "id2label": {"0":"O","1":"B-MISC"}, "output_past": true, "vocab_size": 28996 }""",
            "architectures is \"BertForTokenClassification\", which labels tokens and not texts; only BertForSequenceClassification can be served"),
        ["facebook/bart-large-mnli"] = (
            """{"model_type": "bart", "architectures": ["BartForSequenceClassification"], "d_model": 1024, "encoder_layers": 12, "decoder_layers": 12, "vocab_size": 50265}""",
            "model_type is \"bart\", which has a decoder besides its encoder; only distilbert, bert and roberta can be served"),
        ["cardiffnlp/twitter-xlm-roberta-base-sentiment"] = (
            """{"model_type": "xlm-roberta", "architectures": ["XLMRobertaForSequenceClassification"], "hidden_size": 768, "vocab_size": 250002}""",
            "model_type is \"xlm-roberta\", whose tokenizer is a unigram model (SentencePiece), which cannot be read; only distilbert, bert and roberta can be served"),
        ["XLM-RoBERTa under RoBERTa's type"] = (
            """{"model_type": "roberta", "architectures": ["XLMRobertaForSequenceClassification"]}""",
            "architectures is \"XLMRobertaForSequenceClassification\", whose tokenizer is a unigram model (SentencePiece), which cannot be read; only RobertaForSequenceClassification can be served"),
        ["BART under BERT's type"] = (
            """{"model_type": "bert", "architectures": ["BartForSequenceClassification"]}""",
            "architectures is \"BartForSequenceClassification\", which has a decoder besides its encoder; only BertForSequenceClassification can be served"),
        ["BERT under RoBERTa's type"] = (
            """{"model_type": "roberta", "architectures": ["BertForSequenceClassification"]}""",
            "architectures is \"BertForSequenceClassification\"; only RobertaForSequenceClassification can be served"),
    };
}

/// <summary>What a model of the hub has.</summary>
/// <param name="Json">Its <c>config.json</c>.</param>
/// <param name="Further">Tensors in its file that a classifier does not have.</param>
internal sealed record HubConfig(string Json, params string[] Further);
