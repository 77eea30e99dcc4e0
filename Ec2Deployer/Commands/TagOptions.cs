using System.CommandLine;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>--tag</c> and <c>--owner</c> as they are given and remembered.</summary>
internal static class TagOptions
{
    /// <summary>An option's value, else the one remembered, else null; an empty value puts the default back.</summary>
    public static string? Given(ParseResult parse, Option<string?> option, IReadOnlyDictionary<string, string> remembered) =>
        (parse.GetResult(option) is null ? remembered.GetValueOrDefault(option.Name) : parse.GetValue(option)) is { Length: > 0 } value ? value : null;

    /// <summary>The tags given, on top of those remembered.</summary>
    /// <param name="given">Each <c>key=value</c>, or <c>key=</c>.</param>
    /// <param name="remembered">What was given before, by option.</param>
    /// <param name="errors">Gets one sentence for each that cannot be read.</param>
    /// <returns>Values by key, in the order of the keys; null: taken off, and to be absent.</returns>
    public static SortedDictionary<string, string?> Read(IReadOnlyList<string> given, IReadOnlyDictionary<string, string> remembered, List<string> errors)
    {
        var tags = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var line in remembered.GetValueOrDefault(Settings.Tag.Name, "").Split('\n', StringSplitOptions.RemoveEmptyEntries)) Set(line);
        var seen = new Dictionary<string, string>();
        foreach (var text in given)
        {
            var sign = text.IndexOf('=', StringComparison.Ordinal);
            if (sign > 0 && !seen.TryAdd(text[..sign], text) && seen[text[..sign]] != text) errors.Add($"--tag '{text[..sign]}' is given twice, with different values.");
            else Set(text);
        }

        return tags;

        void Set(string text)
        {
            var sign = text.IndexOf('=', StringComparison.Ordinal);
            if (sign < 1)
            {
                errors.Add($"--tag '{text}' is no tag: KEY=VALUE, or KEY= to take it off.");
                return;
            }

            tags[text[..sign]] = sign + 1 < text.Length ? text[(sign + 1)..] : null;
        }
    }

    /// <summary>The tags as they are remembered: one a line, those that are to be absent too.</summary>
    public static string Text(IReadOnlyDictionary<string, string?> tags) => string.Join('\n', tags.Select(tag => $"{tag.Key}={tag.Value}"));
}
