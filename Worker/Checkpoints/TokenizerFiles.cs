namespace Lab.Worker.Checkpoints;

/// <summary>
/// All that a model directory says of its tokeniser, in <c>vocab.txt</c>, <c>tokenizer.json</c>,
/// <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c>. What several of them say they
/// must say alike.
/// </summary>
/// <param name="Vocabulary">The word pieces.</param>
/// <param name="Config">All else.</param>
internal sealed record TokenizerFiles(Vocabulary Vocabulary, TokenizerConfig Config)
{
    /// <summary>Reads the files.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="rows">Rows of the word embeddings: as many as there are tokens, or padded.</param>
    /// <exception cref="ModelDirectoryException">A file is missing or unreadable, contradicts another, or asks for what is not supported.</exception>
    public static TokenizerFiles Read(string directory, int rows)
    {
        var settings = TokenizerSettings.Read(directory);
        var path = Path.Combine(directory, TokenizerJson.FileName);
        var json = RegularFile.Exists(path) ? TokenizerJson.Read(path, rows) : null;
        if (json is null && settings.GeneralClass is { } general)
            throw new ModelDirectoryException(path, $"does not exist, and tokenizer_class \"{general}\" in {TokenizerConfig.FileName} says nothing without it");
        var vocabulary = ReadVocabulary(directory, path, json, rows);
        if (json is not null) CheckFlags(directory, settings, json);
        var added = new AddedTokenTable(vocabulary.Tokens, json is null ? Path.Combine(directory, Vocabulary.FileName) : path, SpecialTokens.Contains);
        added.AddAll(directory, json?.AddedTokens, settings);
        added.CheckRows(rows);

        var lowercase = json?.Lowercase ?? settings.Lowercase ?? true;
        return new(vocabulary, new(lowercase)
        {
            StripAccents = json?.StripAccents ?? settings.StripAccents ?? lowercase,
            SeparateIdeographs = json?.SeparateIdeographs ?? settings.SeparateIdeographs ?? true,
            PairTypes = settings.GivesTypes && (json?.PairTypes ?? true),
            MaxTokens = settings.MaxTokens,
            AddedTokens = added.FoundInTexts,
        });
    }

    private static Vocabulary ReadVocabulary(string directory, string path, TokenizerJson? json, int rows)
    {
        var text = Path.Combine(directory, Vocabulary.FileName);
        if (json is null)
        {
            return RegularFile.Exists(text)
                ? Vocabulary.ReadWithin(directory, rows)
                : throw new ModelDirectoryException(text, $"does not exist, and there is no {TokenizerJson.FileName} in its place");
        }

        var vocabulary = new Vocabulary(path, json.Tokens);
        if (RegularFile.Exists(text)) CheckSame(text, Vocabulary.ReadWithin(directory, rows).Tokens, json.Tokens);
        return vocabulary;
    }

    private static void CheckSame(string path, IReadOnlyList<string> text, string[] json)
    {
        var same = text.Zip(json).TakeWhile(pair => pair.First == pair.Second).Count();
        if (same < text.Count && same < json.Length)
            throw new ModelDirectoryException(path, $"line {same + 1} is \"{text[same]}\", but the id {same} is \"{json[same]}\" in {TokenizerJson.FileName}");
        if (text.Count != json.Length)
            throw new ModelDirectoryException(path, $"has {text.Count} tokens, but {TokenizerJson.FileName} has {json.Length}");
    }

    // Versions of transformers differ in which of the two they believe.
    private static void CheckFlags(string directory, TokenizerSettings settings, TokenizerJson json)
    {
        Check("do_lower_case", settings.Lowercase, json.Lowercase);
        Check("strip_accents", settings.StripAccents ?? (settings.StripAccentsAsLowercase ? json.Lowercase : null), json.StripAccents);
        Check("tokenize_chinese_chars", settings.SeparateIdeographs, json.SeparateIdeographs);

        void Check(string name, bool? there, bool here)
        {
            if (there is not null && there != here)
                throw new ModelDirectoryException(Path.Combine(directory, TokenizerConfig.FileName),
                    $"{name} means {there.Value.ToString().ToLowerInvariant()}, but {TokenizerJson.FileName} says {here.ToString().ToLowerInvariant()}");
        }
    }
}
