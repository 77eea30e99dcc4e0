using System.Globalization;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.ClusterPage.Parts;

/// <summary>Numbers as the page writes them: as many digits as are read, the same in every language.</summary>
internal static class Format
{
    /// <summary>A count.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A rate per second.</summary>
    public static string Rate(double value) => Number(value);

    /// <summary>A number with about three digits; a dash for none.</summary>
    public static string Number(double? value) => value switch
    {
        null => "–",
        0 => "0",
        < 0.05 => "<0.1",
        < 10 => value.Value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.Value.ToString("#,0", CultureInfo.InvariantCulture),
    };

    /// <summary>The end of a scale, a round number.</summary>
    public static string Axis(double value) => value.ToString("#,0.###", CultureInfo.InvariantCulture);

    /// <summary>A time in milliseconds, as seconds or minutes where it is that long.</summary>
    public static string Time(double milliseconds) => milliseconds switch
    {
        < 1000 => $"{Number(milliseconds)} ms",
        < 60_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
        < 3_600_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 60_000:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 3_600_000:0.0} h"),
    };

    /// <summary>A share as a percentage.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} %");

    /// <summary>The parts of an answer: labels and how sure each is; of a regression the numbers alone.</summary>
    public static IEnumerable<(string What, string? HowSure)> Parts(Verdict verdict)
    {
        if (verdict.Count == 0) yield return ("none above 0.5", null);
        foreach (var (i, score) in verdict.Scores.Index())
            yield return verdict.Labels.Count > 0 ? (verdict.Labels[i], Percent(score)) : (score.ToString("G5", CultureInfo.InvariantCulture), null);
        if (verdict.Count > verdict.Scores.Count) yield return ($"{Count(verdict.Count - verdict.Scores.Count)} more", null);
    }

    /// <summary>An answer on one line.</summary>
    public static string Line(Verdict verdict) =>
        string.Join(", ", Parts(verdict).Select(part => part.HowSure is null ? part.What : $"{part.What} {part.HowSure}"));

    /// <summary>A value of a style sheet, in percent.</summary>
    public static string Width(double share) => string.Create(CultureInfo.InvariantCulture, $"{Math.Clamp(share, 0, 1) * 100:0.##}%");

    /// <summary>A text, or what may be told of it to somebody who may not read it.</summary>
    public static string Text(string text, int length, bool mayRead) =>
        !mayRead ? $"({length} characters)" : length > text.Length ? $"{text}…" : text;
}
