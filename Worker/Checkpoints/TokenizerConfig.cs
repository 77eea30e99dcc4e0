namespace Lab.Worker.Checkpoints;

/// <summary>How a text becomes tokens, besides the vocabulary.</summary>
/// <param name="Lowercase">Whether text is lower-cased.</param>
internal sealed record TokenizerConfig(bool Lowercase)
{
    /// <summary>The file's name within a model directory; it may be absent.</summary>
    public const string FileName = "tokenizer_config.json";

    /// <summary>Whether accents are stripped; by default where text is lower-cased.</summary>
    public bool StripAccents { get; init; } = Lowercase;

    /// <summary>Whether each ideograph is a word of its own.</summary>
    public bool SeparateIdeographs { get; init; } = true;

    /// <summary>The longest input in tokens by the tokeniser's files, at least 3; the model's number of positions may be less.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>Whether the tokens of a pair's second text have the type 1, as BERT's have.</summary>
    public bool PairTypes { get; init; } = true;

    /// <summary>Tokens that are found in a text before it is split, each content once; none of <see cref="SpecialTokens"/>.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>What <c>tokenizer_config.json</c> alone says; <see cref="TokenizerFiles"/> knows more.</summary>
    /// <exception cref="ModelDirectoryException">The file is unreadable, or asks for what is not supported.</exception>
    public static TokenizerConfig Read(string directory)
    {
        var settings = TokenizerSettings.Read(directory);
        var lowercase = settings.Lowercase ?? true;
        return new(lowercase)
        {
            StripAccents = settings.StripAccents ?? lowercase,
            SeparateIdeographs = settings.SeparateIdeographs ?? true,
            MaxTokens = settings.MaxTokens,
        };
    }
}
