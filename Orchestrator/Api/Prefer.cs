using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Lab.Orchestrator.Api;

/// <summary>
/// What a client prefers (RFC 7240). A preference that is unknown, malformed or out of range is no error: it is
/// passed over. Of one that is given twice the first counts.
/// </summary>
/// <param name="RespondAsync">The client will fetch the answer later (§4.1).</param>
/// <param name="Wait">How long it would rather wait for the answer (§4.3), more than 0 and at most the cap; <c>null</c> when not said.</param>
internal readonly record struct Prefer(bool RespondAsync, TimeSpan? Wait)
{
    /// <summary>Reads the header's values, which are one list however many lines they came in.</summary>
    /// <param name="values">The values of the header <c>Prefer</c>.</param>
    /// <param name="maxWait">The longest time that a client is kept waiting.</param>
    public static Prefer Parse(StringValues values, TimeSpan maxWait)
    {
        if (values.Count == 0) return default;
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var value in values)
        {
            foreach (var preference in Split(value ?? "", ','))
            {
                var (name, word) = NameAndWord(Split(preference, ';').First());
                if (name.Length > 0) found.TryAdd(name, word);
            }
        }

        // An empty value is the same as none, and respond-async knows no other.
        var respondAsync = found.TryGetValue("respond-async", out var nothing) && nothing.Length == 0;
        return new(respondAsync, found.TryGetValue("wait", out var seconds) ? Seconds(seconds, maxWait) : null);
    }

    /// <summary>The value of <c>Preference-Applied</c> for those that were honoured, or <c>null</c>.</summary>
    public static string? Applied(bool respondAsync, TimeSpan? wait)
    {
        var waited = wait is { } time ? string.Create(CultureInfo.InvariantCulture, $"wait={time.TotalSeconds:0}") : null;
        return (respondAsync, waited) switch
        {
            (true, null) => "respond-async",
            (true, _) => $"respond-async, {waited}",
            _ => waited,
        };
    }

    private static TimeSpan? Seconds(string text, TimeSpan maxWait)
    {
        if (text.Length == 0 || !text.All(char.IsAsciiDigit)) return null;
        // More digits than a number has room for are more than the cap, too.
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) seconds = int.MaxValue;
        if (seconds == 0) return null;
        return TimeSpan.FromSeconds(Math.Min(seconds, (int)maxWait.TotalSeconds));
    }

    private static (string Name, string Word) NameAndWord(string preference)
    {
        var equals = preference.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0) return (preference.Trim(' ', '\t'), "");
        var word = preference[(equals + 1)..].Trim(' ', '\t');
        if (word is ['"', .. var inner, '"']) word = inner.Replace("\\", "", StringComparison.Ordinal);
        return (preference[..equals].Trim(' ', '\t'), word);
    }

    // Separators within a quoted string separate nothing.
    private static IEnumerable<string> Split(string text, char separator)
    {
        var start = 0;
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (quoted && text[i] == '\\') i++;
            else if (text[i] == '"') quoted = !quoted;
            else if (!quoted && text[i] == separator)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }
}
