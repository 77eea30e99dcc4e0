using System.Globalization;
using System.Text;

namespace Lab.Orchestrator.Dispatch;

/// <summary>What a worker says in words goes into logs, onto the cluster page and to clients: never as it is.</summary>
internal static class WorkerWords
{
    /// <summary>So many characters are kept of what it says.</summary>
    public const int MaxLength = 500;

    /// <summary>The longest name of a model or a label.</summary>
    public const int MaxNameLength = 256;

    private const char Placeholder = '?';

    /// <summary>What it says, bounded, and with a question mark for all that moves a cursor, turns the direction of writing or is half a character.</summary>
    /// <param name="said">What it says.</param>
    /// <param name="maxLength">How many characters are kept of it.</param>
    public static string Plain(string said, int maxLength = MaxLength)
    {
        if (said.Length <= maxLength && IsPlain(said)) return said;
        var plain = new StringBuilder(Math.Min(said.Length, maxLength));
        for (var i = 0; i < said.Length;)
        {
            var isWhole = Rune.TryGetRuneAt(said, i, out var rune);
            var length = isWhole ? rune.Utf16SequenceLength : 1;
            if (plain.Length + length > maxLength) break;
            if (isWhole && IsPlain(rune)) plain.Append(said, i, length);
            else plain.Append(Placeholder);
            i += length;
        }

        return plain.ToString();
    }

    /// <summary>Whether it can be the name of a model or a label.</summary>
    public static bool IsName(string? said) => said is { Length: > 0 and <= MaxNameLength } && IsPlain(said);

    private static bool IsPlain(string said)
    {
        if (Ascii.IsValid(said)) return !said.AsSpan().ContainsAnyExceptInRange(' ', '~');
        for (var i = 0; i < said.Length;)
        {
            if (!Rune.TryGetRuneAt(said, i, out var rune) || !IsPlain(rune)) return false;
            i += rune.Utf16SequenceLength;
        }

        return true;
    }

    // Joiners are letters of some scripts; of what else formats, only the direction can make one text look like another.
    private static bool IsPlain(Rune rune) => rune.Value is not ((>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069))
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
