namespace Lab.Worker.Checkpoints;

/// <summary>
/// The whole tokeniser in one file (Hugging Face's tokenizers, version 1.0 of its format), as far as it is RoBERTa's:
/// byte-level tokens, text parted as GPT-2 parts it and changed in nothing, and <c>cls A sep sep B sep</c>.
/// </summary>
/// <param name="Tokens">The tokens by id.</param>
/// <param name="Merges">The pairs that are merged.</param>
/// <param name="AddPrefixSpace">Whether a space is put before a text that begins with none.</param>
/// <param name="Cls">The token that begins every text, with its id.</param>
/// <param name="Sep">The token that ends every text, with its id.</param>
/// <param name="AddedTokens">Added tokens; special ones among them.</param>
internal sealed record ByteLevelJson(
    string[] Tokens, MergeList Merges, bool AddPrefixSpace, (string Content, int Id) Cls, (string Content, int Id) Sep, IReadOnlyList<AddedToken> AddedTokens)
{
    /// <summary>Whether any token has another type than 0.</summary>
    public bool HasTypes { get; private init; }

    /// <summary>Reads <c>tokenizer.json</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">As many tokens there may be at most.</param>
    /// <exception cref="ModelDirectoryException">The file is unreadable, or a tokeniser of another kind.</exception>
    public static ByteLevelJson Read(string path, int rows) => JsonMembers.ReadFile(path, TokenizerJson.MaxFileBytes, members =>
    {
        members.Expect("version", "\"1.0\"");
        // How tokens become text again is of no concern, and nothing is padded.
        members.PassOver("decoder", "padding");
        TokenizerJson.Truncation(members.Object("truncation"));
        var (tokens, merges) = Model(path, members.Object("model") ?? throw members.Wrong("model is missing"), rows);
        if (members.Value("normalizer") is { } normalizer) throw members.Wrong($"normalizer is {JsonMembers.Shown(normalizer)}; a byte-level tokeniser can be served only without one");
        var prefix = PreTokenizer(members.Object("pre_tokenizer") ?? throw members.Wrong("pre_tokenizer is missing; only ByteLevel can be served"));
        var (cls, sep) = ByteLevelPostProcessor.Read(members.Object("post_processor") ?? throw members.Wrong("post_processor is missing; only RoBERTa's can be served"));
        return new ByteLevelJson(tokens, merges, prefix, cls, sep, TokenizerJson.Added(members)) { HasTypes = ByteLevelPostProcessor.HasTypes(members.Value("post_processor")!.Value) };
    });

    private static (string[] Tokens, MergeList Merges) Model(string path, JsonMembers model, int rows)
    {
        // Older files do not say it; of theirs only this kind has merges.
        model.Expect("type", "\"BPE\"");
        if (model.Value("dropout") is { } dropout && !(dropout.TryGetDouble(out var probability) && probability == 0))
            throw model.Wrong($"model.dropout is {JsonMembers.Shown(dropout)}; only null can be served");
        model.Expect("continuing_subword_prefix", "\"\"");
        model.Expect("end_of_word_suffix", "\"\"");
        model.Expect("ignore_merges", "false");
        // They say what becomes of characters without a token, and each byte has one.
        model.PassOver("unk_token", "fuse_unk", "byte_fallback");
        var vocabulary = model.Object("vocab") ?? throw model.Wrong("model.vocab is missing");
        if (model.Value("merges") is null) throw model.Wrong("model.merges is missing; only byte-level BPE can be served");
        var merges = MergeList.ReadJson(path, "model.merges", model.Array("merges"));
        model.RefuseOthers();
        return (ByteLevelVocabulary.TokensById(vocabulary, model, "model.vocab ", rows), merges);
    }

    private static bool PreTokenizer(JsonMembers words)
    {
        words.Require("type", "\"ByteLevel\"");
        words.Expect("use_regex", "true");
        var prefix = words.Flag("add_prefix_space") ?? throw words.Wrong("pre_tokenizer.add_prefix_space is missing");
        words.PassOver("trim_offsets");
        words.RefuseOthers();
        return prefix;
    }
}
