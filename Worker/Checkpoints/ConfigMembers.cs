using System.Text.Json;

namespace Lab.Worker.Checkpoints;

/// <summary>
/// Tells the members of <c>config.json</c> apart: those that are read, those that must have the value that everybody has,
/// and those that bear on no answer. Any other is refused.
/// </summary>
internal static class ConfigMembers
{
    private static readonly string[] ReadElsewhere =
    [
        "model_type", "problem_type", "id2label", "label2id", "num_labels", "_num_labels", "max_position_embeddings", "vocab_size",
    ];

    private static readonly string[] Harmless =
    [
        // Training, and how transformers itself computes and reports.
        "initializer_range", "gradient_checkpointing", "finetuning_task",
        "torch_dtype", "dtype", "use_bfloat16", "torchscript", "xla_device", "_attn_implementation", "attn_implementation", "_attn_implementation_autoset", "attention_type",
        "output_past", "output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "use_cache", "chunk_size_feed_forward",
        "_name_or_path", "name_or_path", "_commit_hash", "transformers_version", "adapter_transformers_version", "model_name", "transformers.js_config",
        // The table of words is tied to other heads than this one.
        "tie_word_embeddings", "tie_encoder_decoder",
        // What sentence-transformers makes of logits; the pipeline of transformers does not look at it.
        "sentence_transformers", "sbert_ce_default_activation_function",
        // No token of these is put in by the model, none is padded, and no text is generated.
        "pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id",
        "padding", "truncation", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
        "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores",
        "return_dict_in_generate", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "prefix",
    ];

    /// <summary>Refuses what is not understood.</summary>
    /// <param name="members">What is in <c>config.json</c>.</param>
    /// <param name="architecture">The model's, by its <c>model_type</c>.</param>
    /// <exception cref="ModelDirectoryException">A member is not known, or asks for another computation.</exception>
    public static void Check(JsonMembers members, EncoderArchitecture architecture)
    {
        CheckClass(members, architecture.ClassName);
        members.PassOver(ReadElsewhere);
        members.PassOver(architecture.Members.All);
        members.PassOver(Harmless);
        members.PassOver(architecture.UnusedMembers);
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
        TokenizerSettings.CheckClass(members, architecture.Tokenizer);
        members.RefuseOthers();
    }

    // What else is wrong with a model of another kind says less than what it is.
    private static void CheckClass(JsonMembers members, string expected)
    {
        var names = members.Array("architectures").ToList();
        if (names.Count == 0 || names.Exists(name => name.ValueKind is JsonValueKind.String && name.GetString() is { } text && IsName(text))) return;
        var shown = string.Join(", ", names.Take(3).Select(JsonMembers.Shown));
        var why = names is [{ ValueKind: JsonValueKind.String } single] ? UnservedModels.WhyClass(single.GetString()!) : "";
        throw members.Wrong($"architectures is {shown}{why}; only {expected} can be served");

        bool IsName(string name) => name == expected || name == $"TF{expected}" || name == $"Flax{expected}";
    }
}
