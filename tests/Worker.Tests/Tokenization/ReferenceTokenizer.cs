using System.Globalization;
using System.Text;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Tokenization;

/// <summary>
/// BERT's tokeniser written down step by step, as Hugging Face's documentation tells it: each step makes a new list,
/// nothing is cut short, and nothing is shared with the worker's code.
/// </summary>
internal sealed class ReferenceTokenizer(
    IReadOnlyList<string> vocabulary, bool lowercase = true, bool? stripAccents = null, bool separateIdeographs = true, params AddedToken[] added)
{
    private readonly Dictionary<string, int> _ids = vocabulary.Index().ToDictionary(token => token.Item, token => token.Index);

    public int[] Encode(string text, int maxTokens) => [_ids["[CLS]"], .. Tokens(text).Take(maxTokens - 2), _ids["[SEP]"]];

    public int Count(string text) => Tokens(text).Count() + 2;

    /// <summary>The words before they are cut into pieces.</summary>
    public static IReadOnlyList<string> Words(string text, bool lowercase = true, bool? stripAccents = null, bool separateIdeographs = true) =>
        Split(Normalize(text, lowercase, stripAccents ?? lowercase, separateIdeographs));

    private IEnumerable<int> Tokens(string text)
    {
        // Tokens that are not normalised are found in the text as it is, the others in what is left of it, normalised.
        foreach (var (part, token) in Find(text, [.. added.Where(token => !token.Normalized).Select(token => (token.Content, token))]))
        {
            if (token is not null)
            {
                yield return token.Id;
                continue;
            }

            var normalized = Normal(part);
            foreach (var (inner, other) in Find(normalized, [.. added.Where(token => token.Normalized).Select(token => (Normal(token.Content), token))]))
            {
                if (other is not null) yield return other.Id;
                else foreach (var id in Split(inner).SelectMany(Pieces)) yield return id;
            }
        }

        string Normal(string part) => Normalize(part, lowercase, stripAccents ?? lowercase, separateIdeographs);
    }

    // Looks at one place after the other.
    private static List<(string Text, AddedToken? Token)> Find(string text, (string Content, AddedToken Token)[] wanted)
    {
        if (wanted.Length == 0) return [(text, null)];
        var parts = new List<(string, AddedToken?)>();
        var begin = 0;
        for (var i = 0; i < text.Length;)
        {
            var best = wanted.Where(token => token.Content.Length > 0 && string.CompareOrdinal(text, i, token.Content, 0, token.Content.Length) == 0)
                .OrderByDescending(token => token.Content.Length).FirstOrDefault();
            if (best.Token is not { } found)
            {
                i++;
                continue;
            }

            int start = i, end = i + best.Content.Length;
            i = end;
            if (found.SingleWord && ((start > 0 && IsWordCharacter(text[..start].EnumerateRunes().Last())) || (end < text.Length && IsWordCharacter(text[end..].EnumerateRunes().First())))) continue;
            while (found.LeftStrip && start > begin && char.IsWhiteSpace(text[start - 1])) start--;
            if (found.LeftStrip) start = Math.Max(start, begin);
            while (found.RightStrip && end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (start > begin) parts.Add((text[begin..start], null));
            if (start < end) parts.Add((text[start..end], found));
            begin = end;
        }

        if (begin < text.Length) parts.Add((text[begin..], null));
        return parts;
    }

    private static bool IsWordCharacter(Rune rune) => Rune.IsLetter(rune) || Rune.IsDigit(rune) || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.ConnectorPunctuation;

    private static string Normalize(string text, bool lowercase, bool stripAccents, bool separateIdeographs)
    {
        var clean = new StringBuilder();
        foreach (var rune in Runes(text))
        {
            if (rune.Value is 0 or 0xFFFD || IsControl(rune)) continue;
            if (separateIdeographs && IsIdeograph(rune.Value)) clean.Append(' ').Append(rune).Append(' ');
            else if (IsWhiteSpace(rune)) clean.Append(' ');
            else clean.Append(rune);
        }

        var plain = new StringBuilder();
        foreach (var rune in (stripAccents ? clean.ToString().Normalize(NormalizationForm.FormD) : clean.ToString()).EnumerateRunes())
        {
            if (stripAccents && Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark) continue;
            if (lowercase && rune.Value == 'İ') plain.Append("i\u0307");
            else plain.Append(lowercase ? Rune.ToLowerInvariant(rune) : rune);
        }

        return plain.ToString();
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

    private static string[] Split(string text)
    {
        var parted = string.Concat(text.EnumerateRunes().Select(rune => IsPunctuation(rune) ? $" {rune} " : $"{rune}"));
        return parted.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

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
