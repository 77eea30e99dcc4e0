using System.Text;

namespace Lab.Worker.Tests.Tokenization;

/// <summary>Texts of all kinds from a seed: words of many scripts, punctuation, emoji, white space, and any characters that there are.</summary>
internal sealed class ManyTexts(int seed)
{
    private const int Kinds = 14;
    private const int MaxPieces = 24;

    private static readonly string[] Words =
    [
        "the", "movie", "Great", "don't", "we'll", "they've", "I'm", "it's", "SHE'D", "you're", "'s", "'S", "unbelievable", "naïve", "Größe", "coöperate", "http://x.y/z?q=1&r=%20",
        "foo_bar", "C++", "#tag", "@user", "1999", "3.14", "1,000,000", "½", "Ⅻ", "٣٤", "x²", "привет", "мир", "Ελληνικά", "שלום", "مرحبا", "नमस्ते", "ภาษาไทย", "日本語", "中文", "한국어", "ქართული", "አማርኛ",
        "𝒜𝓁𝓅𝒽𝒶", "𝟙𝟚", "𐐀𐐨", "</s>", "<s>", "<mask>", "<pad>", "ĠĠ", "Ċ", "...", "!!!", "--", "\"quoted\"", "“so”", "¿qué?", "a'b'c", "''", "'ll", "'r", "'",
    ];

    private static readonly string[] Emoji = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🇫🇷", "❤️", "☺", "1️⃣", "🏳️‍🌈", "🫨", "\u200D", "\uFE0F", "🏿"];

    private static readonly string[] Spaces =
    [
        " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\v", "\f", "\u0085", "\u00A0", "\u1680", "\u2000", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\u200B", "\u180E", "\uFEFF", "\u001C", "\u001F",
    ];

    private readonly Random _random = new(seed);

    /// <summary>The next text.</summary>
    public string Next()
    {
        var text = new StringBuilder();
        for (var left = _random.Next(MaxPieces + 1); left > 0; left--)
        {
            text.Append(Piece());
            if (_random.Next(3) > 0) text.Append(' ');
        }

        return text.ToString();
    }

    private string Piece() => _random.Next(Kinds) switch
    {
        0 or 1 or 2 or 3 => Any(Words),
        4 => Any(Emoji),
        5 or 6 => Any(Spaces),
        7 => $"{(char)_random.Next(0x20, 0x7F)}",
        8 => $"{(char)_random.Next(0, 0x20)}",
        9 => $"{RuneBelow(0x800)}",
        10 => $"{RuneBelow(0x10000)}",
        11 => $"{RuneBelow(0x20000)}",
        12 => $"{RuneBelow(0x110000)}",
        _ => Run(),
    };

    // The same few characters again and again, with a mark now and then.
    private string Run()
    {
        var unit = _random.Next(3) == 0 ? Any(Words) : _random.Next(2) == 0 ? $"{RuneBelow(0x3000)}" : $"{(char)_random.Next('a', 'e')}";
        var mark = _random.Next(4) == 0 ? $"{new Rune(_random.Next(0x300, 0x370))}" : "";
        return string.Concat(Enumerable.Repeat(unit + mark, _random.Next(1, 40)));
    }

    private string Any(string[] texts) => texts[_random.Next(texts.Length)];

    private Rune RuneBelow(int limit)
    {
        int value;
        do value = _random.Next(limit);
        while (!Rune.IsValid(value));
        return new(value);
    }
}
