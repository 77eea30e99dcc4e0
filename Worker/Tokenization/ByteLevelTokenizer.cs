using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Token ids as Hugging Face's <c>RobertaTokenizer</c> gives them: added tokens are found, the text between them is parted
/// as GPT-2 parts it (<see cref="ByteLevelWords"/>), and the bytes of each word are merged (<see cref="BytePairs"/>), in
/// <c>&lt;s&gt; A &lt;/s&gt;</c> or <c>&lt;s&gt; A &lt;/s&gt;&lt;/s&gt; B &lt;/s&gt;</c>. One difference is meant: the
/// special tokens are not found in a text. Safe for concurrent use.
/// </summary>
internal sealed class ByteLevelTokenizer : ITokenizer
{
    private readonly TokenFrame _frame;
    private readonly BytePairs _pairs;
    private readonly AddedTokens? _added;
    private readonly bool _addPrefixSpace;

    /// <summary>A tokeniser.</summary>
    /// <param name="files">The model's tokens, and how text becomes them.</param>
    /// <param name="maxTokens">The model's number of positions, at least 4; <paramref name="files"/> may have a lower limit.</param>
    public ByteLevelTokenizer(ByteLevelFiles files, int maxTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 4);
        // RoBERTa has no token types.
        _frame = new(files.ClsId, files.SepId, separators: 2, pairTypes: false, Math.Min(maxTokens, files.MaxTokens));
        _pairs = new(files.Vocabulary);
        _addPrefixSpace = files.AddPrefixSpace;
        if (files.AddedTokens.Count > 0) _added = new(files.AddedTokens);
    }

    /// <inheritdoc/>
    public int MaxTokens => _frame.MaxTokens;

    /// <inheritdoc/>
    public TokenizedText Encode(string text, TruncationSide side = TruncationSide.Right) =>
        _frame.Single(Tokens(text, _frame.Room, side), side);

    /// <inheritdoc/>
    public TokenizedText EncodePair(string first, string second, TruncationSide side = TruncationSide.Right) =>
        _frame.Pair(Tokens(first, _frame.PairRoom, side), Tokens(second, _frame.PairRoom, side), side);

    // As many as there are, or more than `room` of them from the side that is kept.
    private List<int> Tokens(string text, int room, TruncationSide side)
    {
        if (_added is not null) return TokensAmongAdded(_added, text, side is TruncationSide.Right ? room : int.MaxValue);
        return side is TruncationSide.Right ? Part(text, [], room) : LastTokens(text, room);
    }

    private List<int> TokensAmongAdded(AddedTokens added, string text, int room)
    {
        var ids = new List<int>();
        foreach (var part in added.Parts(text))
        {
            if (ids.Count > room) break;
            if (part.TokenId is { } id) ids.Add(id);
            else Part(part.Text, ids, room);
        }

        return ids;
    }

    // The end of a text is found by looking at longer and longer ends of it, each beginning at a space, where words
    // surely part: the beginning of a very long text is never looked at.
    private List<int> LastTokens(string text, int room)
    {
        for (var length = 16L * room; length < text.Length; length *= 2)
        {
            var start = (int)(text.Length - length);
            while (start < text.Length && !ByteLevelWords.Begins(text, start)) start++;
            var ids = Words(text.AsSpan(start), [], int.MaxValue);
            if (ids.Count > room) return ids;
        }

        return Part(text, [], int.MaxValue);
    }

    // A text, or what stands between two added tokens.
    private List<int> Part(string text, List<int> ids, int enough) =>
        Words(_addPrefixSpace && text.Length > 0 && text[0] != ' ' ? $" {text}" : text, ids, enough);

    private List<int> Words(ReadOnlySpan<char> text, List<int> ids, int enough)
    {
        for (int start = 0, end; start < text.Length && ids.Count <= enough; start = end)
        {
            end = ByteLevelWords.End(text, start);
            _pairs.Add(text[start..end], ids, enough);
        }

        return ids;
    }
}
