using System.Globalization;
using System.Text;

namespace Lab.Worker.Tests.Tokenization;

/// <summary>
/// BERT's tokeniser, uncased or cased, written down step by step, as Hugging Face's documentation tells it: each step makes a new
/// list, nothing is cut short, and nothing is shared with the worker's code.
/// </summary>
internal sealed class ReferenceTokenizer(IReadOnlyList<string> vocabulary, bool lowercase = true)
{
    private readonly Dictionary<string, int> _ids = vocabulary.Index().ToDictionary(token => token.Item, token => token.Index);

    public int[] Encode(string text, int maxTokens)
    {
        var pieces = Words(text, lowercase).SelectMany(Pieces).Take(maxTokens - 2);
        return [_ids["[CLS]"], .. pieces, _ids["[SEP]"]];
    }

    public int Count(string text) => Words(text, lowercase).SelectMany(Pieces).Count() + 2;

    /// <summary>The words before they are cut into pieces.</summary>
    public static IReadOnlyList<string> Words(string text, bool lowercase = true)
    {
        var clean = new StringBuilder();
        foreach (var rune in Runes(text))
        {
            if (rune.Value is 0 or 0xFFFD || IsControl(rune)) continue;
            if (IsIdeograph(rune.Value)) clean.Append(' ').Append(rune).Append(' ');
            else if (IsWhiteSpace(rune)) clean.Append(' ');
            else clean.Append(rune);
        }

        var words = new List<string>();
        foreach (var token in Split(clean.ToString()))
        {
            var plain = new StringBuilder();
            foreach (var rune in (lowercase ? token.Normalize(NormalizationForm.FormD) : token).EnumerateRunes())
            {
                if (lowercase && Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark) continue;
                var lower = lowercase ? Rune.ToLowerInvariant(rune) : rune;
                if (IsPunctuation(lower)) plain.Append(' ').Append(lower).Append(' ');
                else plain.Append(lower);
            }

            words.AddRange(Split(plain.ToString()));
        }

        return words;
    }

    private IEnumerable<int> Pieces(string word)
    {
        var runes = word.EnumerateRunes().Select(rune => rune.ToString()).ToArray();
        if (runes.Length > 100) return [_ids["[UNK]"]];
        var ids = new List<int>();
        for (var start = 0; start < runes.Length;)
        {
            var end = runes.Length;
            while (end > start && !_ids.ContainsKey(Piece(start, end))) end--;
            if (end == start) return [_ids["[UNK]"]];
            ids.Add(_ids[Piece(start, end)]);
            start = end;
        }

        return ids;

        string Piece(int start, int end) => (start > 0 ? "##" : "") + string.Concat(runes[start..end]);
    }

    private static IEnumerable<Rune> Runes(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (Rune.TryGetRuneAt(text, i, out var rune))
            {
                yield return rune;
                i += rune.Utf16SequenceLength;
            }
            else
            {
                i++;
            }
        }
    }

    private static string[] Split(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsControl(Rune rune) =>
        rune.Value is not ('\t' or '\n' or '\r') && Rune.GetUnicodeCategory(rune) is
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate;

    private static bool IsWhiteSpace(Rune rune) =>
        rune.Value is '\t' or '\n' or '\r' || Rune.GetUnicodeCategory(rune) is
            UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static bool IsPunctuation(Rune rune) =>
        rune.Value is >= 33 and <= 47 or >= 58 and <= 64 or >= 91 and <= 96 or >= 123 and <= 126 || Rune.IsPunctuation(rune);

    private static bool IsIdeograph(int value) =>
        value is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF or >= 0x2A700 and <= 0x2B73F
            or >= 0x2B740 and <= 0x2B81F or >= 0x2B820 and <= 0x2CEAF or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;
}
