using System.Globalization;

namespace Lab.Bench.Reporting;

/// <summary>Numbers as tables and sentences have them.</summary>
internal static class Numbers
{
    /// <summary>Milliseconds with three significant digits: nobody measured more.</summary>
    public static string Ms(double ms) => ms switch
    {
        0 => "0",
        < 0.01 => "< 0.01",
        < 1 => ms.ToString("0.00", CultureInfo.InvariantCulture),
        < 10 => ms.ToString("0.00", CultureInfo.InvariantCulture),
        < 100 => ms.ToString("0.0", CultureInfo.InvariantCulture),
        _ => ms.ToString("#,0", CultureInfo.InvariantCulture),
    };

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
