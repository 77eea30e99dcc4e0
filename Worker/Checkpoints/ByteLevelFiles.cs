namespace Lab.Worker.Checkpoints;

/// <summary>
/// All that a model directory says of its byte-level tokeniser, in <c>vocab.json</c> and <c>merges.txt</c>,
/// <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c>. What
/// several of them say they must say alike.
/// </summary>
/// <param name="Vocabulary">The tokens and the pairs that are merged into them.</param>
/// <param name="ClsId">The token that begins every text.</param>
/// <param name="SepId">The token that ends every text.</param>
internal sealed record ByteLevelFiles(ByteLevelVocabulary Vocabulary, int ClsId, int SepId)
{
    private const string SentencePieceExtension = "*.model";

    /// <summary>The token that fills up texts in other programs, or null where there is none.</summary>
    public int? PadId { get; init; }

    /// <summary>Whether a space is put before a text that begins with none.</summary>
    public bool AddPrefixSpace { get; init; }

    /// <summary>The longest input in tokens by the tokeniser's files, at least 4; the model's number of positions may be less.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>Tokens that are found in a text before it is split, each content once; none of those that have a role.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Reads the files.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="rows">Rows of the word embeddings: as many as there are tokens, or padded.</param>
    /// <exception cref="ModelDirectoryException">A file is missing or unreadable, contradicts another, or asks for what is not supported.</exception>
    public static ByteLevelFiles Read(string directory, int rows)
    {
        var settings = TokenizerSettings.Read(directory, TokenizerKind.ByteLevel);
        var path = Path.Combine(directory, TokenizerJson.FileName);
        var json = RegularFile.Exists(path) ? ByteLevelJson.Read(path, rows) : null;
        if (json is null && settings.GeneralClass is { } general)
            throw new ModelDirectoryException(path, $"does not exist, and tokenizer_class \"{general}\" in {TokenizerConfig.FileName} says nothing without it");
        if (json is { HasTypes: true } && settings.GivesTypes)
            throw new ModelDirectoryException(path, "post_processor has a type_id other than 0, which tokenizer_config.json lets the model see; only 0 can be served for this model");
        if (settings.MaxTokens < 4)
            throw new ModelDirectoryException(Path.Combine(directory, TokenizerConfig.FileName), $"model_max_length is {settings.MaxTokens}; it must be at least 4, since a pair of texts has four special tokens");
        var source = json is null ? Path.Combine(directory, ByteLevelVocabulary.FileName) : path;
        var vocabulary = ReadVocabulary(directory, source, json, rows);
        var added = new AddedTokenTable(vocabulary.Tokens, source, settings.Roles.Contains);
        added.AddAll(directory, json?.AddedTokens, settings);
        added.CheckRows(rows);
        return new(vocabulary, Id(SpecialTokenRoles.Cls, json?.Cls), Id(SpecialTokenRoles.Sep, json?.Sep))
        {
            PadId = added.IdOf(settings.Roles[SpecialTokenRoles.Pad]),
            AddPrefixSpace = AddsPrefixSpace(directory, settings, json),
            MaxTokens = settings.MaxTokens,
            AddedTokens = added.FoundInTexts,
        };

        int Id(string role, (string Content, int Id)? processor)
        {
            var content = settings.Roles[role];
            if (processor is { } token && token.Content != content)
                throw new ModelDirectoryException(path, $"post_processor has \"{token.Content}\" where {role} is \"{content}\"");
            if (added.IdOf(content) is not { } id) throw new ModelDirectoryException(source, $"the token {content}, which is {role}, is missing");
            return processor is not { } there || there.Id == id ? id : throw new ModelDirectoryException(path, $"post_processor gives \"{content}\" the id {there.Id}; it is {id}");
        }
    }

    private static ByteLevelVocabulary ReadVocabulary(string directory, string source, ByteLevelJson? json, int rows)
    {
        string vocab = Path.Combine(directory, ByteLevelVocabulary.FileName), merges = Path.Combine(directory, MergeList.FileName);
        if (json is null)
        {
            if (!RegularFile.Exists(vocab)) throw new ModelDirectoryException(vocab, Missing(directory));
            return new(source, ByteLevelVocabulary.ReadTokens(vocab, rows), MergeList.ReadText(merges));
        }

        if (RegularFile.Exists(vocab)) CheckSame(vocab, ByteLevelVocabulary.ReadTokens(vocab, rows), json.Tokens);
        if (RegularFile.Exists(merges)) MergeList.ReadText(merges).CheckSame(json.Merges);
        return new(source, json.Tokens, json.Merges);
    }

    private static string Missing(string directory)
    {
        var line = $"does not exist, and there is no {TokenizerJson.FileName} in its place";
        return Directory.EnumerateFiles(directory, SentencePieceExtension).FirstOrDefault() is { } model
            ? $"{line}; {Path.GetFileName(model)} is a SentencePiece tokeniser, which cannot be served"
            : line;
    }

    private static void CheckSame(string path, string[] text, string[] json)
    {
        var same = text.Zip(json).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same < text.Length && same < json.Length)
            throw new ModelDirectoryException(path, $"has \"{text[same]}\" with the id {same}, but {TokenizerJson.FileName} has \"{json[same]}\"");
        if (text.Length != json.Length)
            throw new ModelDirectoryException(path, $"has {text.Length} tokens, but {TokenizerJson.FileName} has {json.Length}");
    }

    // transformers' RobertaTokenizer puts none in unless tokenizer_config.json says so, whatever tokenizer.json says.
    private static bool AddsPrefixSpace(string directory, TokenizerSettings settings, ByteLevelJson? json)
    {
        if (json is null) return settings.AddPrefixSpace ?? false;
        if ((settings.AddPrefixSpace ?? (settings.GeneralClass is null ? false : null)) is { } there && there != json.AddPrefixSpace)
        {
            throw new ModelDirectoryException(Path.Combine(directory, TokenizerConfig.FileName),
                $"add_prefix_space{(settings.AddPrefixSpace is null ? " is absent, which" : "")} means {Shown(there)}, but {TokenizerJson.FileName} says {Shown(json.AddPrefixSpace)}");
        }

        return json.AddPrefixSpace;

        static string Shown(bool flag) => flag ? "true" : "false";
    }
}
