using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Token ids as Hugging Face's <c>BertTokenizer</c> gives them: added tokens are found, then BERT's basic tokeniser
/// (<see cref="BertNormalizer"/>), then greedy longest-match-first WordPiece (Wu et al., arXiv:1609.08144), between [CLS]
/// and [SEP]. One difference is meant: BERT's special tokens are not found in a text. Safe for concurrent use.
/// </summary>
internal sealed class BertTokenizer : ITokenizer
{
    private readonly TokenFrame _frame;
    private readonly WordPieces _pieces;
    private readonly BertNormalizer _firstWords;
    private readonly BertNormalizer _allWords;
    private readonly AddedTokens? _added;

    /// <summary>A tokeniser.</summary>
    /// <param name="vocabulary">The model's word pieces.</param>
    /// <param name="config">How text becomes words, and which tokens are added.</param>
    /// <param name="maxTokens">The model's number of positions, at least 3; <paramref name="config"/> may have a lower limit.</param>
    public BertTokenizer(Vocabulary vocabulary, TokenizerConfig config, int maxTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 3);
        _frame = new(vocabulary.ClsId, vocabulary.SepId, separators: 1, config.PairTypes, Math.Min(maxTokens, config.MaxTokens));
        // Each word is a token at least: further words cannot matter, and need not be looked at.
        _firstWords = new(config.Lowercase, config.StripAccents, config.SeparateIdeographs, MaxTokens);
        _allWords = new(config.Lowercase, config.StripAccents, config.SeparateIdeographs);
        if (config.AddedTokens.Count > 0) _added = new(config.AddedTokens, _allWords);
        _pieces = new(vocabulary);
    }

    /// <inheritdoc/>
    public int MaxTokens => _frame.MaxTokens;

    /// <summary>[CLS] text [SEP], cut to <see cref="MaxTokens"/>.</summary>
    /// <param name="text">Any string; lone surrogates in it are ignored.</param>
    /// <param name="side">The end that is cut off.</param>
    public TokenizedText Encode(string text, TruncationSide side = TruncationSide.Right) =>
        _frame.Single(Words(text, _frame.Room, side), side);

    /// <summary>
    /// [CLS] first [SEP] second [SEP], cut to <see cref="MaxTokens"/> by taking from the longer of the two
    /// (Hugging Face's <c>longest_first</c>).
    /// </summary>
    public TokenizedText EncodePair(string first, string second, TruncationSide side = TruncationSide.Right) =>
        _frame.Pair(Words(first, _frame.PairRoom, side), Words(second, _frame.PairRoom, side), side);

    // As many as there are, or more than `room` of them from the side that is kept.
    private List<int> Words(string text, int room, TruncationSide side)
    {
        if (_added is not null) return TokensAmongAdded(_added, text, side is TruncationSide.Right ? room : int.MaxValue);
        return side is TruncationSide.Right ? Tokens(_firstWords, text, room) : LastTokens(text, room);
    }

    // An added token may hold spaces, or depend on what stands before it: the beginning of the text is never left out.
    private List<int> TokensAmongAdded(AddedTokens added, string text, int room)
    {
        var ids = new List<int>();
        foreach (var part in added.Parts(text))
        {
            if (ids.Count > room) break;
            if (part.TokenId is { } id) ids.Add(id);
            else ids.AddRange(Tokens(part.Normalized ? AddedTokens.NormalizedWords : _allWords, part.Text, room - ids.Count));
        }

        return ids;
    }

    private List<int> Tokens(BertNormalizer normalizer, ReadOnlySpan<char> text, int room = int.MaxValue)
    {
        var words = normalizer.Words(text);
        try
        {
            return _pieces.Of(words.Text, room);
        }
        finally
        {
            words.Dispose();
        }
    }

    // The end of a text is found by looking at longer and longer ends of it, each beginning at a space, where words
    // surely part: the beginning of a very long text is never looked at.
    private List<int> LastTokens(string text, int room)
    {
        for (var length = 16L * room; length < text.Length; length *= 2)
        {
            var start = text.AsSpan((int)(text.Length - length)).IndexOfAny(" \t\n\r");
            if (start < 0) continue;
            var ids = Tokens(_allWords, text.AsSpan((int)(text.Length - length) + start));
            if (ids.Count > room) return ids;
        }

        return Tokens(_allWords, text);
    }
}
