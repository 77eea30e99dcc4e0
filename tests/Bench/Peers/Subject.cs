using System.Globalization;
using Lab.Bench.Dispatch;

namespace Lab.Bench.Peers;

/// <summary>One of those who are compared.</summary>
/// <param name="Name">As the table has it.</param>
/// <param name="Address">Where it is asked.</param>
/// <param name="Processes">Whose processor time is counted as its own; none for whom it is not.</param>
internal sealed record Subject(string Name, string Address, params Child[] Processes)
{
    /// <summary>One for each turn that counts.</summary>
    public List<WrkResult> Results { get; } = [];

    /// <summary>The median of its turns, with the least and the most.</summary>
    public string Median(Func<WrkResult, double> value, string format)
    {
        var sorted = Results.Select(value).Order().ToList();
        return $"{Text(sorted[sorted.Count / 2])} [{Text(sorted[0])} – {Text(sorted[^1])}]";

        string Text(double number) => number.ToString(format, CultureInfo.InvariantCulture);
    }
}
