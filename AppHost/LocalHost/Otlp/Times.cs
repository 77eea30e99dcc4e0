using System.Globalization;

namespace Lab.AppHost.LocalHost.Otlp;

/// <summary>OTLP's nanoseconds since 1970, for people.</summary>
internal static class Times
{
    public static TimeSpan Between(long start, long end) => TimeSpan.FromTicks((end - start) / 100);

    public static string Clock(long at) => DateTimeOffset.UnixEpoch.AddTicks(at / 100).ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>Three digits that matter and a unit, such as <c>12.3 ms</c>.</summary>
    public static string Text(TimeSpan duration)
    {
        var (value, unit) = duration.TotalMilliseconds switch
        {
            < 1 => (duration.TotalMicroseconds, "µs"),
            < 1000 => (duration.TotalMilliseconds, "ms"),
            _ => (duration.TotalSeconds, "s"),
        };
        return value.ToString(value < 10 ? "0.00" : value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture) + " " + unit;
    }
}
