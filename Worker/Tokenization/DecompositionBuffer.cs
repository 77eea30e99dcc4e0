using System.Globalization;
using System.Text;

namespace Lab.Worker.Tokenization;

/// <summary>
/// A run of characters beyond ASCII, gathered to be decomposed canonically (NFD, Unicode Standard Annex #15), stripped
/// of marks and, where that is wanted, lower-cased. Marks must not be put in: they would be stripped anyway, and long rows of them make
/// reordering take quadratic time.
/// </summary>
internal ref struct DecompositionBuffer
{
    /// <summary>The size of the memory that the caller lends, in characters.</summary>
    public const int Capacity = 512;

    // From here on the run is cut before a character that cannot be reordered with its neighbours.
    private const int Enough = 128;

    // No canonical decomposition has more than 4 UTF-16 units for each unit of its source.
    private const int Expansion = 4;

    private const char GraphemeJoiner = '\u034F';
    private const int Ypogegrammeni = 0x0345;

    private readonly Span<char> _run;
    private readonly bool _lowercase;
    private int _length;

    /// <summary>An empty buffer.</summary>
    /// <param name="memory">Memory of at least <see cref="Capacity"/> characters.</param>
    /// <param name="lowercase">Whether to lower-case.</param>
    public DecompositionBuffer(Span<char> memory, bool lowercase)
    {
        _run = memory;
        _lowercase = lowercase;
    }

    /// <summary>Adds a character, and passes the run on when it has grown long.</summary>
    public void Append(Rune rune, ref WordBuffer words)
    {
        // A row of spacing combining marks that fills the buffer is a word too long to be known: any cut will do.
        if (_length > Capacity - 2
            || (_length >= Enough && Rune.GetUnicodeCategory(rune) is not UnicodeCategory.SpacingCombiningMark))
            Flush(ref words);
        _length += rune.EncodeToUtf16(_run[_length..]);
    }

    /// <summary>
    /// Notes a mark that is not put in. One of combining class 0 keeps the spacing marks before it and behind it from
    /// being reordered: an invisible one, which is stripped later, takes its place.
    /// </summary>
    public void LeaveOut(Rune mark)
    {
        if (_length is 0 or > Capacity - 2) return;
        Rune.DecodeLastFromUtf16(_run[.._length], out var last, out _);
        if (Rune.GetUnicodeCategory(last) is UnicodeCategory.SpacingCombiningMark && IsStarter(mark)) _run[_length++] = GraphemeJoiner;
    }

    // Behind a mark of class 240, the highest, every other one moves to the front – but not one of class 0.
    private static bool IsStarter(Rune mark)
    {
        if (mark.Value == Ypogegrammeni) return false;
        var behind = $"{(char)Ypogegrammeni}{mark}";
        return behind.Normalize(NormalizationForm.FormD)[0] == Ypogegrammeni;
    }

    /// <summary>Passes the run on.</summary>
    public void Flush(ref WordBuffer words)
    {
        if (_length == 0) return;
        ReadOnlySpan<char> run = _run[.._length];
        _length = 0;
        Span<char> decomposed = stackalloc char[Capacity * Expansion];
        if (!run.TryNormalize(decomposed, out var written, NormalizationForm.FormD))
            throw new InvalidOperationException("A canonical decomposition is longer than Unicode allows.");
        foreach (var rune in decomposed[..written].EnumerateRunes())
        {
            switch (CharacterClasses.Of(rune))
            {
                case CharacterClass.Mark:
                    break;
                case CharacterClass.Punctuation:
                    words.EndWord();
                    words.Append(rune);
                    words.EndWord();
                    break;
                default:
                    words.Append(_lowercase ? Rune.ToLowerInvariant(rune) : rune);
                    break;
            }
        }
    }
}
