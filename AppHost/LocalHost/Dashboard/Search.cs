namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>Finds a text within another.</summary>
internal static class Search
{
    /// <summary>Cuts a text into what was searched for and what is between.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="wanted">What for, whatever its case; nothing is found nowhere.</param>
    public static IEnumerable<(string Part, bool IsFound)> Split(string text, string wanted)
    {
        var from = 0;
        while (wanted.Length > 0 && text.IndexOf(wanted, from, StringComparison.OrdinalIgnoreCase) is >= 0 and var at)
        {
            if (at > from)
                yield return (text[from..at], false);
            yield return (text.Substring(at, wanted.Length), true);
            from = at + wanted.Length;
        }

        if (from < text.Length)
            yield return (text[from..], false);
    }
}
