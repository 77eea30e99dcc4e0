namespace Lab.Worker.Checkpoints;

/// <summary>
/// Added tokens beside the vocabulary they are added to. A content that the vocabulary has keeps its id, any other gets
/// the next one (<c>add_tokens</c> of Hugging Face's tokenizers): files that say otherwise are refused.
/// </summary>
/// <param name="vocabulary">The model's tokens by id.</param>
/// <param name="path">The file to name in messages.</param>
/// <param name="isGuarded">Which tokens are never found in texts, because they have a role.</param>
internal sealed class AddedTokenTable(IReadOnlyList<string> vocabulary, string path, Func<string, bool> isGuarded)
{
    private readonly Dictionary<string, int> _ids = vocabulary.Index().ToDictionary(token => token.Item, token => token.Index, StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken> _added = new(StringComparer.Ordinal);

    /// <summary>Those that are looked for in texts, all but those that have a role, in the order in which Hugging Face prefers them.</summary>
    public IReadOnlyList<AddedToken> FoundInTexts =>
        [.. _added.Values.Where(token => !isGuarded(token.Content)).OrderByDescending(token => token.Special).ThenBy(token => token.Id)];

    /// <summary>The id of a token, or null.</summary>
    public int? IdOf(string content) => _ids.TryGetValue(content, out var id) ? id : null;

    /// <summary>Adds all tokens that a directory's files have.</summary>
    /// <param name="directory">The model directory.</param>
    /// <param name="json">Those of <c>tokenizer.json</c>, or null where there is none.</param>
    /// <param name="settings">The other files.</param>
    /// <exception cref="ModelDirectoryException">A token is empty or without an id, or files contradict each other.</exception>
    public void AddAll(string directory, IReadOnlyList<AddedToken>? json, TokenizerSettings settings)
    {
        var source = Path.Combine(directory, settings.AddedTokensSource);
        Add(json is null ? source : path, json ?? settings.AddedTokens);
        if (json is not null) CheckKnown(source, settings.AddedTokens, idsOnly: settings.AddedTokensSource == TokenizerSettings.AddedTokensFileName);
        AddNamed(Path.Combine(directory, TokenizerConfig.FileName), settings.Named);
    }

    /// <summary>Adds tokens.</summary>
    /// <param name="source">The file that has them.</param>
    /// <param name="tokens">The tokens.</param>
    /// <exception cref="ModelDirectoryException">A token is empty, or an id is another than Hugging Face gives.</exception>
    public void Add(string source, IReadOnlyList<AddedToken> tokens)
    {
        foreach (var token in tokens.OrderBy(token => token.Id))
        {
            // It would be found everywhere, again and again.
            if (token.Content.Length == 0) throw new ModelDirectoryException(source, $"the added token with the id {token.Id} is empty");
            if (!_added.TryAdd(token.Content, token)) throw new ModelDirectoryException(source, $"the added token \"{token.Content}\" is there twice");
            if (!_ids.TryGetValue(token.Content, out var id)) _ids.Add(token.Content, id = _ids.Count);
            if (token.Id != id) throw new ModelDirectoryException(source, $"the added token \"{token.Content}\" has the id {token.Id}; it must be {id}");
        }
    }

    /// <summary>Refuses tokens that another file has, and this one not or otherwise.</summary>
    /// <param name="other">The other file.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="idsOnly">Whether it says nothing of a token but its id.</param>
    /// <exception cref="ModelDirectoryException">There is one.</exception>
    public void CheckKnown(string other, IReadOnlyList<AddedToken> tokens, bool idsOnly)
    {
        foreach (var token in tokens)
        {
            if (!_added.TryGetValue(token.Content, out var known))
                throw new ModelDirectoryException(other, $"the added token \"{token.Content}\" is not in {Path.GetFileName(path)}");
            if (idsOnly && known.Id != token.Id)
                throw new ModelDirectoryException(other, $"the added token \"{token.Content}\" has another id than in {Path.GetFileName(path)}");
            if (!idsOnly && known != token && !isGuarded(token.Content))
                throw new ModelDirectoryException(other, $"the added token \"{token.Content}\" has another id or other properties than in {Path.GetFileName(path)}");
        }
    }

    /// <summary>Adds special tokens that are named without an id: each must be a word piece, or added already.</summary>
    /// <param name="other">The file that names them.</param>
    /// <param name="tokens">The tokens; of one that is added already the properties are known better.</param>
    /// <exception cref="ModelDirectoryException">One has no id.</exception>
    public void AddNamed(string other, IReadOnlyList<AddedToken> tokens)
    {
        foreach (var token in tokens)
        {
            if (!_ids.TryGetValue(token.Content, out var id))
                throw new ModelDirectoryException(other, $"the special token \"{token.Content}\" has no id: it is neither in the vocabulary nor among the added tokens");
            _added.TryAdd(token.Content, token with { Id = id });
        }
    }

    /// <summary>Compares the number of tokens with the embeddings'.</summary>
    /// <exception cref="ModelDirectoryException">There are more tokens than rows, or fewer than padding explains.</exception>
    public void CheckRows(int rows) => Vocabulary.CheckRows(path, _ids.Count, rows);
}
