using System.Globalization;
using System.Text;

namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>
/// A chart's lines as paths of SVG, in a view box of <see cref="Width"/> by <see cref="Height"/>: one unit a second,
/// the newest at the right.
/// </summary>
/// <param name="Top">The value at the upper edge, in the chart's unit.</param>
/// <param name="Series">The lines, the lowest first.</param>
/// <param name="Peak">The largest value there was.</param>
public sealed record Chart(double Top, double Peak, IReadOnlyList<Series> Series)
{
    /// <summary>The view box's width.</summary>
    public const int Width = History.Length;

    /// <summary>The view box's height.</summary>
    public const int Height = 100;

    /// <summary>Draws samples.</summary>
    /// <param name="samples">The samples, the oldest first.</param>
    /// <param name="minTop">The scale ends no lower than here, so that noise at rest does not look like mountains.</param>
    /// <param name="lines">What to draw: its name, its value (none where there is none), and whether it fills what is beneath it.</param>
    public static Chart Of(Sample[] samples, double minTop, params (string Name, Func<Sample, double?> Value, bool Filled)[] lines)
    {
        var peak = lines.Max(line => samples.Length == 0 ? 0 : samples.Max(sample => line.Value(sample) ?? 0));
        var top = Math.Max(minTop, RoundUp(peak));
        return new(top, peak, [.. lines.Select(line => Draw(samples, top, line.Name, line.Value, line.Filled))]);
    }

    // To 1, 2 or 5 times a power of ten: numbers that are read at a glance, and a scale that seldom changes.
    internal static double RoundUp(double value)
    {
        if (value <= 0) return 0;
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return (value / power) switch
        {
            <= 1 => power,
            <= 2 => 2 * power,
            <= 5 => 5 * power,
            _ => 10 * power,
        };
    }

    private static Series Draw(Sample[] samples, double top, string name, Func<Sample, double?> value, bool filled)
    {
        // In steps, each second as wide as it lasts: so is seen also a second alone, among others without any value.
        var line = new StringBuilder();
        var area = new StringBuilder();
        var left = Width - samples.Length;
        int? before = null;
        for (var i = 0; i < samples.Length;)
        {
            var y = HeightOf(value(samples[i]), top);
            var end = i + 1;
            while (end < samples.Length && HeightOf(value(samples[end]), top) == y) end++;
            if (y is not null)
            {
                line.Append(CultureInfo.InvariantCulture, $"{(before is null ? $"M{left + i} {y}" : $"V{y}")}H{left + end}");
                area.Append(CultureInfo.InvariantCulture, $"{(before is null ? $"M{left + i} {Height}" : "")}V{y}H{left + end}");
            }

            if (y is not null && (end == samples.Length || value(samples[end]) is null)) area.Append(CultureInfo.InvariantCulture, $"V{Height}Z");
            before = y;
            i = end;
        }

        return new(name, line.ToString(), filled ? area.ToString() : null);

        static int? HeightOf(double? value, double top) => value is { } number ? Height - (int)Math.Round(Math.Min(number / top, 1) * Height) : null;
    }
}

/// <summary>One line of a chart.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Line">The path of the line.</param>
/// <param name="Area">The path of what is beneath it, where that is filled.</param>
public sealed record Series(string Name, string Line, string? Area);
