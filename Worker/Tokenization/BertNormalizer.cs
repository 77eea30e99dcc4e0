using System.Text;

namespace Lab.Worker.Tokenization;

/// <summary>
/// The whole of BERT's basic tokeniser as one pass: cleans the text, sets ideographs and punctuation apart, strips
/// accents and lower-cases, as the model will have it; its result is the words, separated by single spaces. Follows Hugging
/// Face's <c>BertNormalizer</c> and <c>BertPreTokenizer</c> (lower-casing looks at one character at a time, so Σ is
/// always σ). Takes time in proportion to the text, and stops once it has enough words.
/// </summary>
/// <param name="lowercase">Whether to lower-case.</param>
/// <param name="stripAccents">Whether to strip accents.</param>
/// <param name="separateIdeographs">Whether each ideograph is a word of its own.</param>
/// <param name="maxWords">The number of words after which the rest of the text is left alone.</param>
internal sealed class BertNormalizer(bool lowercase, bool stripAccents, bool separateIdeographs = true, int maxWords = int.MaxValue)
{
    private const int CapitalIWithDot = 0x0130;
    private const char DotAbove = '\u0307';

    /// <summary>The words of a text, separated by single spaces.</summary>
    public string Normalize(ReadOnlySpan<char> text) => ToText(Words(text));

    /// <summary>The text as <c>BertNormalizer</c> alone leaves it: with its spaces, not yet split into words.</summary>
    public string NormalizeOnly(ReadOnlySpan<char> text) => ToText(Write(text, new(text.Length + 8)));

    /// <summary>The words, separated by single spaces, to be disposed by the caller.</summary>
    public WordBuffer Words(ReadOnlySpan<char> text) => Write(text, new(text.Length + text.Length / 4 + 8, maxWords));

    private static string ToText(WordBuffer words)
    {
        try
        {
            return words.Text.ToString();
        }
        finally
        {
            words.Dispose();
        }
    }

    private WordBuffer Write(ReadOnlySpan<char> text, WordBuffer words)
    {
        var pending = new DecompositionBuffer(stackalloc char[DecompositionBuffer.Capacity], lowercase);
        for (var i = 0; i < text.Length && !words.IsFull;)
        {
            if (char.IsAscii(text[i]))
            {
                WriteAscii(text[i++], ref pending, ref words);
                continue;
            }

            // A lone surrogate is decoded as an error and dropped, as Unicode's "other" categories are.
            var valid = Rune.DecodeFromUtf16(text[i..], out var rune, out var consumed) is System.Buffers.OperationStatus.Done;
            i += consumed;
            if (valid) WriteRune(rune, ref pending, ref words);
        }

        pending.Flush(ref words);
        words.EndWord();
        return words;
    }

    private void WriteAscii(char character, ref DecompositionBuffer pending, ref WordBuffer words)
    {
        var kind = CharacterClasses.OfAsciiChar(character);
        if (kind is CharacterClass.Dropped) return;
        pending.Flush(ref words);
        if (kind is CharacterClass.Word)
        {
            words.Append(lowercase && character is >= 'A' and <= 'Z' ? (char)(character | 0x20) : character);
            return;
        }

        if (kind is CharacterClass.Space)
        {
            words.Space();
            return;
        }

        words.EndWord();
        words.Append(character);
        words.EndWord();
    }

    private void WriteRune(Rune rune, ref DecompositionBuffer pending, ref WordBuffer words)
    {
        switch (CharacterClasses.Of(rune))
        {
            case CharacterClass.Dropped:
                break;
            case CharacterClass.Mark when stripAccents:
                pending.LeaveOut(rune);
                break;
            case CharacterClass.Space:
                pending.Flush(ref words);
                words.Space();
                break;
            case CharacterClass.Ideograph when separateIdeographs:
                pending.Flush(ref words);
                words.Space();
                Word(rune, ref pending, ref words);
                pending.Flush(ref words);
                words.Space();
                break;
            case CharacterClass.Punctuation when !stripAccents:
                words.EndWord();
                words.Append(rune);
                words.EndWord();
                break;
            default:
                Word(rune, ref pending, ref words);
                break;
        }
    }

    private void Word(Rune rune, ref DecompositionBuffer pending, ref WordBuffer words)
    {
        if (stripAccents)
        {
            pending.Append(rune, ref words);
        }
        else if (lowercase && rune.Value == CapitalIWithDot)
        {
            // The only character whose lower case is two.
            words.Append('i');
            words.Append(DotAbove);
        }
        else
        {
            words.Append(lowercase ? Rune.ToLowerInvariant(rune) : rune);
        }
    }
}
