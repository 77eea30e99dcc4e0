using CsCheck;

namespace Lab.Worker.Tests.Tokenization;

/// <summary>Texts that try a tokeniser: plain words, and characters of every kind that has a rule of its own.</summary>
internal static class TextGen
{
    private static readonly string[] Interesting =
    [
        " ", " ", "\t", "\n", "\r", "\0", "\u000B", "\u0085", "\u00A0", "\u2028", "\u3000", "\u200B", "\u00AD", "\uFFFD",
        "!", "$", "+", "[CLS]", "[SEP]", "[MASK]", "##ing", "'", "-", "_", "\u2014", "\u00BF", "\u3002", "é", "e\u0301", "Å", "\u212B",
        "İ", "ß", "Σ", "中", "\uF900", "\U0002F800", "\U00020000", "한", "각", "が", "😀", "👩‍👩‍👧", "\uD800", "\uDC00", "\u0E33",
        "\U0001D15E", "\U0001D165", "\U0001D16D", "\u302E", "\u1B44", "ﬁ", "½", "\u0344", "\u0F73",
    ];

    private static readonly string[] Words =
        ["the", "movie", "Great", "unbelievable", "don't", "ACTING", "worst", "a", "zzzzqqq", "naïve", "1999", "http://x.y/z?q=1", "internationalization"];

    public static Gen<string> Text { get; } =
        Gen.OneOf(
            Gen.Int[0, Interesting.Length - 1].Select(i => Interesting[i]),
            Gen.Int[0, Words.Length - 1].Select(i => Words[i]),
            Gen.Char[' ', '~'].Select(character => $"{character}"),
            Gen.Char.Select(character => $"{character}"),
            Gen.Int[0x10000, 0x10FFFF].Select(char.ConvertFromUtf32),
            Gen.Const(" "))
        .Array[0, 60].Select(string.Concat);
}
