namespace Lab.Worker.Checkpoints;

/// <summary>
/// Tells the members of <c>config.json</c> apart: those that are read, those that must have the value that everybody has,
/// and those that bear on no answer. Any other is refused.
/// </summary>
internal static class ConfigMembers
{
    private const string Architecture = "DistilBertForSequenceClassification";

    private static readonly string[] ReadElsewhere =
    [
        "model_type", "problem_type", "id2label", "label2id", "num_labels", "_num_labels", "activation", "max_position_embeddings", "vocab_size",
        "dim", "hidden_size", "hidden_dim", "n_heads", "num_attention_heads", "n_layers", "num_hidden_layers",
    ];

    private static readonly string[] Harmless =
    [
        // Training, and how transformers itself computes and reports.
        "dropout", "attention_dropout", "seq_classif_dropout", "qa_dropout", "initializer_range", "gradient_checkpointing", "finetuning_task",
        "torch_dtype", "dtype", "use_bfloat16", "torchscript", "xla_device", "_attn_implementation", "attn_implementation", "_attn_implementation_autoset", "attention_type",
        "output_past", "output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "use_cache", "chunk_size_feed_forward",
        "_name_or_path", "name_or_path", "_commit_hash", "transformers_version", "adapter_transformers_version", "model_name", "transformers.js_config",
        // Positions are read from the weights, however they were made; the table of words is tied to other heads than this one.
        "sinusoidal_pos_embds", "tie_weights_", "tie_word_embeddings", "tie_encoder_decoder",
        // Of BERT, from which models are distilled: transformers does not look at them in a DistilBERT either.
        "hidden_act", "intermediate_size", "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "layer_norm_eps", "type_vocab_size",
        // No token of these is put in by the model, none is padded, and no text is generated.
        "pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
        "padding", "truncation", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
        "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores",
        "return_dict_in_generate", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "prefix",
    ];

    /// <summary>Refuses what is not understood.</summary>
    /// <exception cref="ModelDirectoryException">A member is not known, or asks for another computation.</exception>
    public static void Check(JsonMembers members)
    {
        members.PassOver(ReadElsewhere);
        members.PassOver(Harmless);
        foreach (var name in (string[])["is_decoder", "is_encoder_decoder", "add_cross_attention"]) members.Expect(name, "false");
        members.Expect("position_embedding_type", "\"absolute\"");
        if (members.Object("pruned_heads") is { } pruned && pruned.All.Any())
            throw members.Wrong("pruned_heads is not empty; only models with all their heads can be served");
        if (members.Value("quantization_config") is not null)
            throw members.Wrong("quantization_config is there; only weights that are not quantised can be served, since they are quantised here");
        // Of other tasks transformers' pipeline looks at none; those of its own it puts in the place of config.json's members.
        foreach (var task in (string[])["text-classification", "sentiment-analysis"])
            if (members.Object("task_specific_params")?.Value(task) is not null)
                throw members.Wrong($"task_specific_params.{task} replaces other members; write them in their places and remove it");
        if (members.Value("auto_map") is not null)
            throw members.Wrong("auto_map names code of the model's own, which is not run");
        var architectures = members.Array("architectures").Select(JsonMembers.Shown).ToList();
        if (architectures.Count > 0 && !architectures.Exists(name => name is $"\"{Architecture}\"" or $"\"TF{Architecture}\"" or $"\"Flax{Architecture}\""))
            throw members.Wrong($"architectures is {string.Join(", ", architectures.Take(3))}; only {Architecture} can be served");
        TokenizerSettings.CheckClass(members);
        members.RefuseOthers();
    }
}
