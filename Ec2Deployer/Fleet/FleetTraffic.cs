using System.Globalization;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>What the last minute was like at the orchestrators.</summary>
/// <param name="RequestsPerSecond">Requests answered a second, by all of them together.</param>
/// <param name="P99Ms">The time within which 99 of 100 were answered, in milliseconds: of several orchestrators the slowest one's. Null where none was.</param>
internal sealed record FleetTraffic(double RequestsPerSecond, double? P99Ms)
{
    private const string Rate = "lab_last_minute_requests_per_second";
    private const string P99 = "lab_last_minute_p99_seconds";

    /// <summary>Finds it in what an orchestrator answers to <c>GET /metrics</c>; null where it is not there.</summary>
    /// <param name="metrics">Prometheus' text format.</param>
    public static FleetTraffic? Parse(string metrics) => Value(metrics, Rate) is { } rate ? new(rate, Value(metrics, P99) * 1000) : null;

    /// <summary>What several orchestrators come to together, or null: none told.</summary>
    public static FleetTraffic? Of(IReadOnlyCollection<FleetTraffic> each) =>
        each.Count == 0 ? null : new(each.Sum(one => one.RequestsPerSecond), each.Max(one => one.P99Ms));

    private static double? Value(string metrics, string name)
    {
        foreach (var line in metrics.Split('\n'))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal) || line.Length == name.Length || line[name.Length] is not (' ' or '{')) continue;
            // Labels, where there are any, end with a brace; a time may stand behind the value.
            var fields = line[(line.LastIndexOf('}') is >= 0 and var end ? end + 1 : name.Length)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return fields.Length > 0 && double.TryParse(fields[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) && value >= 0 ? value : null;
        }

        return null;
    }
}
