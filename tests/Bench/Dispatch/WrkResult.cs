using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Bench.Dispatch;

/// <summary>What wrk measured: requests per second, latency quantiles in milliseconds, the server's processor time per request, and answers that were no success.</summary>
internal sealed partial record WrkResult(double PerSecond, double P50Ms, double P99Ms, double CpuMicroseconds, long Errors)
{
    public static WrkResult Parse(string output, TimeSpan? processorTime)
    {
        var errors = Regex.Matches(output, @"Non-2xx or 3xx responses: (\d+)").Sum(match => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        if (Socket().Match(output) is { Success: true } socket)
            errors += socket.Groups.Values.Skip(1).Sum(group => long.Parse(group.Value, CultureInfo.InvariantCulture));
        return new(
            double.Parse(Rate().Match(output).Groups[1].Value, CultureInfo.InvariantCulture),
            Milliseconds(output, "50%"),
            Milliseconds(output, "99%"),
            (processorTime ?? TimeSpan.Zero).TotalMicroseconds / long.Parse(Count().Match(output).Groups[1].Value, CultureInfo.InvariantCulture),
            errors);
    }

    private static double Milliseconds(string output, string quantile)
    {
        var match = Regex.Match(output, $@"\s{Regex.Escape(quantile)}\s+([\d.]+)(us|ms|s)");
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * match.Groups[2].Value switch
        {
            "us" => 0.001,
            "ms" => 1,
            _ => 1000,
        };
    }

    [GeneratedRegex(@"(\d+) requests in ")]
    private static partial Regex Count();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")]
    private static partial Regex Socket();
}
