using System.Text;

namespace Lab.Worker.Tokenization;

/// <summary>
/// The whole of BERT's basic tokeniser as one pass: cleans the text, sets ideographs and punctuation apart, and for
/// uncased models strips accents and lower-cases; its result is the words, separated by single spaces. Follows Hugging
/// Face's <c>BertNormalizer</c> and <c>BertPreTokenizer</c> (lower-casing looks at one character at a time, so Σ is
/// always σ). Takes time in proportion to the text, and stops once it has enough words.
/// </summary>
/// <param name="lowercase">Whether to strip accents and to lower-case.</param>
/// <param name="maxWords">The number of words after which the rest of the text is left alone.</param>
internal sealed class BertNormalizer(bool lowercase, int maxWords = int.MaxValue)
{
    /// <summary>The words of a text, separated by single spaces.</summary>
    public string Normalize(ReadOnlySpan<char> text)
    {
        var words = Words(text);
        try
        {
            return words.Text.ToString();
        }
        finally
        {
            words.Dispose();
        }
    }

    /// <summary>The same, to be disposed by the caller.</summary>
    public WordBuffer Words(ReadOnlySpan<char> text)
    {
        var words = new WordBuffer(text.Length + text.Length / 4 + 8, maxWords);
        var pending = new DecompositionBuffer(stackalloc char[DecompositionBuffer.Capacity]);
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

        words.EndWord();
        if (kind is CharacterClass.Space) return;
        words.Append(character);
        words.EndWord();
    }

    private void WriteRune(Rune rune, ref DecompositionBuffer pending, ref WordBuffer words)
    {
        switch (CharacterClasses.Of(rune))
        {
            case CharacterClass.Dropped:
                break;
            case CharacterClass.Mark when lowercase:
                pending.LeaveOut(rune);
                break;
            case CharacterClass.Space:
                pending.Flush(ref words);
                words.EndWord();
                break;
            case CharacterClass.Ideograph:
                pending.Flush(ref words);
                words.EndWord();
                Word(rune, ref pending, ref words);
                pending.Flush(ref words);
                words.EndWord();
                break;
            case CharacterClass.Punctuation when !lowercase:
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
        if (lowercase) pending.Append(rune, ref words);
        else words.Append(rune);
    }
}
