using System.Globalization;
using System.Text;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>
/// Names of models and labels: they go into logs, onto pages and to clients. A worker serves no model with others, and the
/// orchestrator believes no worker that tells of some.
/// </summary>
public static class WireName
{
    /// <summary>The longest name.</summary>
    public const int MaxLength = 256;

    /// <summary>Whether it can be the name of a model or a label.</summary>
    public static bool IsValid(string? name) => name is { Length: > 0 and <= MaxLength } && IsPlain(name);

    /// <summary>Whether nothing in it moves a cursor, turns the direction of writing or is half a character.</summary>
    public static bool IsPlain(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Ascii.IsValid(text)) return !text.AsSpan().ContainsAnyExceptInRange(' ', '~');
        for (var i = 0; i < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, i, out var rune) || !IsPlain(rune)) return false;
            i += rune.Utf16SequenceLength;
        }

        return true;
    }

    /// <summary>The same of one character.</summary>
    // Joiners are letters of some scripts; of what else formats, only the direction can make one text look like another.
    public static bool IsPlain(Rune rune) => rune.Value is not ((>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069))
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
