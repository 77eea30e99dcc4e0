using System.Runtime.InteropServices;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Puts special tokens around texts, and cuts what does not fit: <c>cls A sep</c>, or for a pair <c>cls A sep B sep</c>
/// with one separator in the middle or two.
/// </summary>
/// <param name="clsId">The token that begins every text.</param>
/// <param name="sepId">The token that ends every text.</param>
/// <param name="separators">How many of them stand between the texts of a pair: 1 or 2.</param>
/// <param name="pairTypes">Whether the tokens of a pair's second text have the type 1, the separator behind it too.</param>
/// <param name="maxTokens">The longest result, with room for the special tokens of a pair.</param>
internal sealed class TokenFrame(int clsId, int sepId, int separators, bool pairTypes, int maxTokens)
{
    /// <summary>The longest result in tokens.</summary>
    public int MaxTokens => maxTokens;

    /// <summary>How many tokens of a single text fit.</summary>
    public int Room => maxTokens - 2;

    /// <summary>How many tokens of both texts of a pair fit.</summary>
    public int PairRoom => Room - separators;

    /// <summary>A single text.</summary>
    /// <param name="tokens">Its tokens, or more than <see cref="Room"/> of them from the side that is kept.</param>
    /// <param name="side">The end that is cut off.</param>
    public TokenizedText Single(List<int> tokens, TruncationSide side)
    {
        var (first, count) = Kept(tokens.Count, Room, side);
        var ids = new int[count + 2];
        Write(tokens, first, count, ids.AsSpan(1));
        ids[0] = clsId;
        ids[^1] = sepId;
        return new(ids, tokens.Count > Room, ids.Length);
    }

    /// <summary>Two texts.</summary>
    /// <param name="first">The tokens of the first, or more than <see cref="PairRoom"/> of them from the side that is kept.</param>
    /// <param name="second">Those of the second.</param>
    /// <param name="side">The end that is cut off.</param>
    public TokenizedText Pair(List<int> first, List<int> second, TruncationSide side)
    {
        var (firstRoom, secondRoom) = Share(first.Count, second.Count, PairRoom);
        var (firstStart, firstCount) = Kept(first.Count, firstRoom, side);
        var (secondStart, secondCount) = Kept(second.Count, secondRoom, side);

        var ids = new int[firstCount + secondCount + separators + 2];
        var secondAt = 1 + firstCount + separators;
        ids[0] = clsId;
        Write(first, firstStart, firstCount, ids.AsSpan(1));
        ids.AsSpan(1 + firstCount, separators).Fill(sepId);
        Write(second, secondStart, secondCount, ids.AsSpan(secondAt));
        ids[^1] = sepId;
        return new(ids, first.Count + second.Count > PairRoom, pairTypes ? secondAt : ids.Length);
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
