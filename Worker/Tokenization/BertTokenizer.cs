using System.Runtime.InteropServices;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Token ids as Hugging Face's <c>BertTokenizer</c> gives them: added tokens are found, then BERT's basic tokeniser
/// (<see cref="BertNormalizer"/>), then greedy longest-match-first WordPiece (Wu et al., arXiv:1609.08144), between [CLS]
/// and [SEP]. One difference is meant: BERT's special tokens are not found in a text. Safe for concurrent use.
/// </summary>
internal sealed class BertTokenizer : ITokenizer
{
    private readonly Vocabulary _vocabulary;
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
        _vocabulary = vocabulary;
        MaxTokens = Math.Min(maxTokens, config.MaxTokens);
        // Each word is a token at least: further words cannot matter, and need not be looked at.
        _firstWords = new(config.Lowercase, config.StripAccents, config.SeparateIdeographs, MaxTokens);
        _allWords = new(config.Lowercase, config.StripAccents, config.SeparateIdeographs);
        if (config.AddedTokens.Count > 0) _added = new(config.AddedTokens, _allWords);
        _pieces = new(vocabulary);
    }

    /// <summary>The longest result in tokens, special tokens included.</summary>
    public int MaxTokens { get; }

    /// <summary>[CLS] text [SEP], cut to <see cref="MaxTokens"/>.</summary>
    /// <param name="text">Any string; lone surrogates in it are ignored.</param>
    /// <param name="side">The end that is cut off.</param>
    public TokenizedText Encode(string text, TruncationSide side = TruncationSide.Right)
    {
        var room = MaxTokens - 2;
        var words = Words(text, room, side);
        var (first, count) = Kept(words.Count, room, side);
        var ids = new int[count + 2];
        Write(words, first, count, ids.AsSpan(1));
        ids[0] = _vocabulary.ClsId;
        ids[^1] = _vocabulary.SepId;
        return new(ids, words.Count > room, ids.Length);
    }

    /// <summary>
    /// [CLS] first [SEP] second [SEP], cut to <see cref="MaxTokens"/> by taking from the longer of the two
    /// (Hugging Face's <c>longest_first</c>).
    /// </summary>
    public TokenizedText EncodePair(string first, string second, TruncationSide side = TruncationSide.Right)
    {
        var room = MaxTokens - 3;
        var firstWords = Words(first, room, side);
        var secondWords = Words(second, room, side);
        var (firstRoom, secondRoom) = Share(firstWords.Count, secondWords.Count, room);
        var (firstStart, firstCount) = Kept(firstWords.Count, firstRoom, side);
        var (secondStart, secondCount) = Kept(secondWords.Count, secondRoom, side);

        var ids = new int[firstCount + secondCount + 3];
        ids[0] = _vocabulary.ClsId;
        Write(firstWords, firstStart, firstCount, ids.AsSpan(1));
        ids[firstCount + 1] = _vocabulary.SepId;
        Write(secondWords, secondStart, secondCount, ids.AsSpan(firstCount + 2));
        ids[^1] = _vocabulary.SepId;
        return new(ids, firstWords.Count + secondWords.Count > room, firstCount + 2);
    }

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

    private static (int First, int Count) Kept(int count, int room, TruncationSide side)
    {
        if (count <= room) return (0, count);
        return (side is TruncationSide.Right ? 0 : count - room, room);
    }

    private static (int First, int Second) Share(int first, int second, int room)
    {
        if (first + second <= room) return (first, second);
        var shorter = Math.Min(first, second);
        if (shorter <= room / 2) return first <= second ? (first, room - first) : (room - second, second);
        // Both are longer than half: the one that was longer gets the odd token.
        var (half, rest) = (room / 2, room - room / 2);
        return first > second ? (rest, half) : (half, rest);
    }

    private static void Write(List<int> ids, int first, int count, Span<int> target) =>
        CollectionsMarshal.AsSpan(ids).Slice(first, count).CopyTo(target);
}
