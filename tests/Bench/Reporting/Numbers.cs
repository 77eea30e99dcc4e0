using System.Globalization;
using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>Numbers as tables and sentences have them.</summary>
internal static class Numbers
{
    /// <summary>Milliseconds with three significant digits: nobody measured more.</summary>
    public static string Ms(double ms) => ms switch
    {
        < 0.01 => "< 0.01",
        < 10 => ms.ToString("0.00", CultureInfo.InvariantCulture),
        < 100 => ms.ToString("0.0", CultureInfo.InvariantCulture),
        _ => ms.ToString("#,0", CultureInfo.InvariantCulture),
    };

    /// <summary>The percentiles of times with their name, as the cells of a table; dashes where nothing was measured.</summary>
    public static IReadOnlyList<string> Cells(string name, TimeSummary times) =>
        [name, .. ((double[])[times.P50, times.P90, times.P95, times.P99, times.Max, times.Mean]).Select(ms => times.Count == 0 ? "–" : Ms(ms))];

    /// <summary>Requests per second.</summary>
    public static string Rate(double perSecond) => perSecond.ToString(perSecond < 100 ? "0.0" : "#,0", CultureInfo.InvariantCulture);

    /// <summary>A count.</summary>
    public static string Count(double count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>A share of 0 to 1 in percent.</summary>
    public static string Percent(double share) => (share * 100).ToString(share is > 0 and < 0.1 ? "0.0" : "0", CultureInfo.InvariantCulture) + " %";

    /// <summary>Seconds.</summary>
    public static string Seconds(double seconds) => seconds.ToString(seconds < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    /// <summary>A number with its noun.</summary>
    public static string Of(long count, string one, string? many = null) => $"{Count(count)} {(count == 1 ? one : many ?? one + "s")}";
}
