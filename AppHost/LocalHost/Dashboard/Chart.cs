using System.Globalization;
using System.Text;
using Lab.AppHost.LocalHost.Otlp;

namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>Draws series as the paths of an SVG, and puts values into words.</summary>
internal static class Chart
{
    public const int Width = 300;
    public const int Height = 60;

    /// <summary>The path of one series.</summary>
    /// <param name="points">Its points, the oldest first.</param>
    /// <param name="from">The time at the left edge.</param>
    /// <param name="to">The time at the right edge.</param>
    /// <param name="top">The value at the upper edge; the lower one is 0.</param>
    public static string Path(IEnumerable<Point> points, long from, long to, double top)
    {
        var path = new StringBuilder();
        foreach (var point in points.Where(point => point.At >= from && point.At <= to))
            path.Append(path.Length == 0 ? 'M' : 'L')
                .Append(Math.Round((double)Width * (point.At - from) / Math.Max(to - from, 1), 1).ToString(CultureInfo.InvariantCulture))
                .Append(' ')
                .Append(Math.Round(Height - (Height * Math.Clamp(point.Value / top, 0, 1)), 1).ToString(CultureInfo.InvariantCulture));
        return path.ToString();
    }

    /// <summary>The upper edge for these series: the next round number.</summary>
    public static double Top(IEnumerable<SeriesView> series)
    {
        var most = series.SelectMany(one => one.Points).Select(point => point.Value).DefaultIfEmpty().Max();
        if (most <= 0)
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(most)));
        return ((double[])[1, 2, 5, 10]).First(step => step * power >= most * 0.999) * power;
    }

    /// <summary>A value in its instrument's unit (UCUM), such as <c>12.3 ms</c>, <c>4.56 MB</c> or <c>7</c>.</summary>
    public static string Value(double value, string unit) => unit switch
    {
        "s" => Times.Text(TimeSpan.FromTicks((long)Math.Round(Math.Clamp(value, 0, 1e9) * TimeSpan.TicksPerSecond))),
        "By" when value >= 1e9 => Number(value / 1e9) + " GB",
        "By" when value >= 1e6 => Number(value / 1e6) + " MB",
        "By" => Number(value / 1e3) + " kB",
        _ => Number(value),
    };

    /// <summary>A series' newest value as its kind is read.</summary>
    public static string Last(InstrumentView instrument, SeriesView series) => (instrument.Kind, series.Last) switch
    {
        (InstrumentKind.Counter, var last) => $"{Value(series.Total, instrument.Unit)} · {Value(last ?? 0, instrument.Unit)}/s",
        (InstrumentKind.Histogram, null) => $"{Number(series.Total)} ×",
        (InstrumentKind.Histogram, { } last) => $"{Number(series.Total)} × · mean {Value(last, instrument.Unit)}",
        (_, var last) => Value(last ?? 0, instrument.Unit),
    };

    private static string Number(double value) => value.ToString(
        Math.Abs(value) switch { >= 1000 => "#,0", >= 100 => "0.#", >= 1 => "0.##", 0 => "0", _ => "0.####" }, CultureInfo.InvariantCulture);
}
