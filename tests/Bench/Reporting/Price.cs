using System.Globalization;

namespace Lab.Bench.Reporting;

/// <summary>What requests cost on machines that are paid by the hour.</summary>
internal static class Price
{
    /// <summary>The variable that tells what the cluster costs: US dollars an hour, or another word where that is unknown.</summary>
    public const string Variable = "LAB_USD_PER_HOUR";

    /// <summary>The last sentence of a report, or null where the variable is not set.</summary>
    /// <param name="hourly">The variable's value.</param>
    /// <param name="throughput">Answers a second.</param>
    public static string? Sentence(string? hourly, double throughput)
    {
        if (string.IsNullOrEmpty(hourly)) return null;
        if (!double.TryParse(hourly, NumberStyles.Float, CultureInfo.InvariantCulture, out var usd)) return "Cost of a million requests: unknown, for the price of the hosts is.";
        return throughput > 0
            ? string.Create(CultureInfo.InvariantCulture, $"Cost of a million requests: {usd / 3600 / throughput * 1e6:0.00} US dollars, on hosts for {usd.ToString(usd is > 0 and < 0.1 ? "0.0000" : "0.000", CultureInfo.InvariantCulture)} an hour at {throughput:0.0} requests/s.")
            : "Cost of a million requests: unknown, for none was answered.";
    }
}
