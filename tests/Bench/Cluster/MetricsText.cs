using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Bench.Cluster;

/// <summary>Prometheus' text format, as far as numbers by name and labels.</summary>
internal sealed partial class MetricsText
{
    private readonly List<(string Name, string Labels, double Value)> _lines = [];

    /// <param name="text">What <c>GET /metrics</c> has answered.</param>
    public MetricsText(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            if (Line().Match(line) is { Success: true } match
                && double.TryParse(match.Groups["value"].ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                _lines.Add((match.Groups["name"].Value, match.Groups["labels"].Value, value));
        }
    }

    /// <summary>The sum of all values of a name, of those that have the label where one is given; 0 where there is none.</summary>
    /// <param name="name">The metric's whole name.</param>
    /// <param name="label">Such as <c>outcome="answered"</c>.</param>
    public double Sum(string name, string? label = null) => _lines
        .Where(line => line.Name == name && (label is null || line.Labels.Split(',').Contains(label)))
        .Sum(line => line.Value);

    /// <summary>The value of a name that has one; <c>null</c> where there is none.</summary>
    public double? Find(string name) => _lines.Where(line => line.Name == name).Select(line => (double?)line.Value).FirstOrDefault();

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][\w:]*)(\{(?<labels>.*)\})? (?<value>\S+)")]
    private static partial Regex Line();
}
