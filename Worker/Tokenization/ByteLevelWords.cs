using System.Text;

namespace Lab.Worker.Tokenization;

/// <summary>
/// Parts text as GPT-2 does (<c>encoder.py</c>, and <c>ByteLevel</c> of Hugging Face's tokenizers), by
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>. .NET's regular expressions take a
/// character beyond U+FFFF for two that are no letters; this takes it as it is.
/// </summary>
internal static class ByteLevelWords
{
    private enum Kind : byte
    {
        Letter,
        Number,
        Space,
        Other,
    }

    private const int AsciiCount = 128;

    private static readonly Kind[] AsciiKinds = [.. Enumerable.Range(0, AsciiCount).Select(value => KindOf(new Rune(value)))];

    private static ReadOnlySpan<string> Contractions => (string[])["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    /// <summary>Where the word that begins at <paramref name="start"/> ends.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">A place where a word begins, before the end of the text.</param>
    public static int End(ReadOnlySpan<char> text, int start)
    {
        if (text[start] == '\'')
        {
            foreach (var contraction in Contractions)
                if (text[start..].StartsWith(contraction, StringComparison.Ordinal)) return start + contraction.Length;
        }

        var kind = KindAt(text, start, out var length);
        var next = start + length;
        if (kind is not Kind.Space) return EndOf(kind, text, next);
        if (text[start] == ' ' && next < text.Length && KindAt(text, next, out length) is not Kind.Space and var behind) return EndOf(behind, text, next + length);

        // Of several spaces the last stays for the word behind them. All are single UTF-16 units.
        var end = EndOf(Kind.Space, text, next);
        return end < text.Length && end - start > 1 ? end - 1 : end;
    }

    /// <summary>Whether a word surely begins here, whatever stands before: at a space behind what is none.</summary>
    public static bool Begins(ReadOnlySpan<char> text, int at) => at > 0 && char.IsWhiteSpace(text[at]) && !char.IsWhiteSpace(text[at - 1]);

    private static int EndOf(Kind kind, ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && KindAt(text, at, out var length) == kind) at += length;
        return at;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int at, out int length)
    {
        length = 1;
        if (text[at] < AsciiCount) return AsciiKinds[text[at]];
        // A lone surrogate becomes U+FFFD, here as in its bytes.
        Rune.DecodeFromUtf16(text[at..], out var rune, out length);
        return KindOf(rune);
    }

    private static Kind KindOf(Rune rune) =>
        Rune.IsLetter(rune) ? Kind.Letter
        : Rune.IsNumber(rune) ? Kind.Number
        : Rune.IsWhiteSpace(rune) ? Kind.Space
        : Kind.Other;
}
