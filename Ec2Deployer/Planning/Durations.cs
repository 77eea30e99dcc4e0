using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Planning;

/// <summary>Durations as people write them: <c>45m</c>, <c>4h</c>, <c>1h30m</c>, <c>2d</c>.</summary>
internal static partial class Durations
{
    /// <summary>The duration, or null where the text is none.</summary>
    public static TimeSpan? Parse(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success || text.Length == 0) return null;
        var total = TimeSpan.FromDays(Number("d")) + TimeSpan.FromHours(Number("h")) + TimeSpan.FromMinutes(Number("m"));
        return total;

        int Number(string unit) => match.Groups[unit].Success ? int.Parse(match.Groups[unit].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>The shortest text that <see cref="Parse"/> reads back, to the minute; below one minute, seconds.</summary>
    public static string Text(TimeSpan duration)
    {
        if (duration < TimeSpan.FromMinutes(1)) return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)duration.TotalSeconds)}s");
        var text = "";
        if (duration.Days > 0) text += string.Create(CultureInfo.InvariantCulture, $"{duration.Days}d");
        if (duration.Hours > 0) text += string.Create(CultureInfo.InvariantCulture, $"{duration.Hours}h");
        if (duration.Minutes > 0) text += string.Create(CultureInfo.InvariantCulture, $"{duration.Minutes}m");
        return text;
    }

    [GeneratedRegex("^(?:(?<d>[0-9]{1,4})d)?(?:(?<h>[0-9]{1,5})h)?(?:(?<m>[0-9]{1,6})m)?\\z")]
    private static partial Regex Pattern();
}
