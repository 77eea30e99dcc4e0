using System.Buffers;
using System.Globalization;
using System.Text;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Finds any of many tokens in a text, from left to right, the longest where several begin at one place
/// (<c>AddedVocabulary::find_matches</c> of Hugging Face's tokenizers).
/// </summary>
internal sealed class TokenMatcher
{
    private const int ZeroWidthNonJoiner = 0x200C;
    private const int ZeroWidthJoiner = 0x200D;

    private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    private readonly SearchValues<string> _contents;
    private readonly int[] _lengths;

    /// <summary>A matcher.</summary>
    /// <param name="tokens">What is looked for, and the token that it stands for; of two that are looked for alike the first counts.</param>
    public TokenMatcher(IReadOnlyList<(string Content, AddedToken Token)> tokens)
    {
        var byContent = new Dictionary<string, AddedToken>(StringComparer.Ordinal);
        foreach (var (content, token) in tokens) byContent.TryAdd(content, token);
        _tokens = byContent.GetAlternateLookup<ReadOnlySpan<char>>();
        _contents = SearchValues.Create([.. byContent.Keys], StringComparison.Ordinal);
        _lengths = [.. byContent.Keys.Select(content => content.Length).Distinct().OrderDescending()];
    }

    /// <summary>The tokens and the text between them, which is not empty; no character is in two parts.</summary>
    /// <param name="text">The text.</param>
    /// <param name="normalized">What is said of the parts.</param>
    public IEnumerable<TextPart> Split(string text, bool normalized)
    {
        var done = 0;
        var space = new Stretch(0, 0);
        for (int at = 0, next; (next = text.AsSpan(at).IndexOfAny(_contents)) >= 0;)
        {
            var (token, length) = Longest(text, at + next);
            var (start, end) = (at + next, at + next + length);
            at = end;
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end)))) continue;
            if (token.LeftStrip && start > 0) start = Math.Max(done, (space = SpaceAround(text, start - 1, space)).Contains(start - 1) ? space.Start : start);
            if (token.RightStrip && end < text.Length) end = (space = SpaceAround(text, end, space)).Contains(end) ? space.End : end;
            if (done < start) yield return new(text[done..start], null, normalized);
            // Nothing is left of one that lies in white space which the token before it has swallowed.
            if (start < end) yield return new(text[Math.Clamp(done, start, end)..end], token.Id, normalized);
            done = end;
        }

        if (done < text.Length) yield return new(text[done..], null, normalized);
    }

    // The white space around a place. The last that was found is kept: where a token is white space itself, each would else
    // look at all that is left of it.
    private static Stretch SpaceAround(string text, int at, Stretch last)
    {
        if (last.Contains(at) || !char.IsWhiteSpace(text[at])) return last;
        return new(text.AsSpan(0, at).TrimEnd().Length, text.Length - text.AsSpan(at).TrimStart().Length);
    }

    private (AddedToken Token, int Length) Longest(string text, int start)
    {
        foreach (var length in _lengths)
        {
            if (length <= text.Length - start && _tokens.TryGetValue(text.AsSpan(start, length), out var token)) return (token, length);
        }

        throw new InvalidOperationException("A token was found, and was not there.");
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) is OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) is OperationStatus.Done && IsWord(rune);

    // \w of Unicode Technical Standard #18, Annex C: alphabetic, which circled letters are too, marks, decimal digits,
    // connectors and joiners.
    private static bool IsWord(Rune rune) => rune.Value is ZeroWidthNonJoiner or ZeroWidthJoiner
        or >= 0x24B6 and <= 0x24E9 or >= 0x1F130 and <= 0x1F149 or >= 0x1F150 and <= 0x1F169 or >= 0x1F170 and <= 0x1F189
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
            or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation;

    private readonly record struct Stretch(int Start, int End)
    {
        public bool Contains(int at) => at >= Start && at < End;
    }
}
