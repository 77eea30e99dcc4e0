using System.Globalization;
using System.Text;

namespace Lab.Worker.Tokenization;

/// <summary>What BERT's basic tokeniser does with a character.</summary>
internal enum CharacterClass : byte
{
    /// <summary>It is part of a word.</summary>
    Word,

    /// <summary>It ends a word and is not kept.</summary>
    Space,

    /// <summary>It is a word of its own.</summary>
    Punctuation,

    /// <summary>An ideograph: a word of its own, before its canonical decomposition is looked at.</summary>
    Ideograph,

    /// <summary>A nonspacing mark: an accent, stripped where text is lower-cased.</summary>
    Mark,

    /// <summary>It is dropped, and what stands beside it joins.</summary>
    Dropped,
}

/// <summary>
/// Classes of characters by the rules of BERT's <c>tokenization.py</c> (<c>_is_whitespace</c>, <c>_is_control</c>,
/// <c>_is_punctuation</c>, <c>_is_chinese_char</c>), which Hugging Face's tokenisers share.
/// </summary>
internal static class CharacterClasses
{
    private static readonly CharacterClass[] Ascii = [.. Enumerable.Range(0, 128).Select(OfAscii)];

    /// <summary>The class of an ASCII character.</summary>
    public static CharacterClass OfAsciiChar(char character) => Ascii[character];

    /// <summary>The class of any Unicode scalar value.</summary>
    public static CharacterClass Of(Rune rune)
    {
        if (rune.IsAscii) return Ascii[rune.Value];
        // "Other" letters are the bulk of the world's text: looked up before anything rarer.
        switch (Rune.GetUnicodeCategory(rune))
        {
            case UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                return CharacterClass.Space;
            case UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation
                or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
                or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation
                or UnicodeCategory.OtherPunctuation:
                return CharacterClass.Punctuation;
            case UnicodeCategory.NonSpacingMark:
                return CharacterClass.Mark;
            case UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned:
                // An ideograph block has unassigned places, and they are ideographs to BERT, but a control comes first.
                return CharacterClass.Dropped;
            default:
                if (rune.Value == 0xFFFD) return CharacterClass.Dropped;
                return IsIdeograph(rune.Value) ? CharacterClass.Ideograph : CharacterClass.Word;
        }
    }

    private static CharacterClass OfAscii(int value) => (char)value switch
    {
        ' ' or '\t' or '\n' or '\r' => CharacterClass.Space,
        < ' ' or '\x7F' => CharacterClass.Dropped,
        >= '0' and <= '9' or >= 'A' and <= 'Z' or >= 'a' and <= 'z' => CharacterClass.Word,
        // Also $ + < = > ^ ` | ~, which Unicode calls symbols.
        _ => CharacterClass.Punctuation,
    };

    private static bool IsIdeograph(int value) => value is
        >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF
        or >= 0x2A700 and <= 0x2B73F or >= 0x2B740 and <= 0x2B81F or >= 0x2B820 and <= 0x2CEAF
        or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;
}
