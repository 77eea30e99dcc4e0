using System.Globalization;

namespace Lab.Bench.Load;

/// <summary>Lengths of time as people write them: <c>90s</c>, <c>2m</c>, <c>500ms</c>, <c>1h</c>; a bare number is seconds.</summary>
internal static class Durations
{
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)];

    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>Reads a duration.</summary>
    /// <returns><c>null</c> for what is none, not positive, or longer than a day.</returns>
    public static TimeSpan? Parse(string text)
    {
        var factor = 1.0;
        var number = text.AsSpan().Trim();
        foreach (var (unit, seconds) in Units)
        {
            if (!number.EndsWith(unit, StringComparison.OrdinalIgnoreCase)) continue;
            factor = seconds;
            number = number[..^unit.Length];
            break;
        }

        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value > 0 && value * factor <= Longest.TotalSeconds ? TimeSpan.FromSeconds(value * factor) : null;
    }

    /// <summary>A duration in words.</summary>
    public static string Text(TimeSpan duration) => duration.TotalSeconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0} ms"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.##} s"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.#} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMinutes:0.#} min"),
    };
}
