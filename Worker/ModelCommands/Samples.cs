using System.Diagnostics;
using System.Globalization;

namespace Lab.Worker.ModelCommands;

/// <summary>Repeated measurements of one thing.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = [];

    /// <summary>The one in the middle.</summary>
    public double Median => _values.Order().ElementAt(_values.Count / 2);

    /// <summary>The largest.</summary>
    public double Max => _values.Max();

    /// <summary>Adds one.</summary>
    public void Add(double value) => _values.Add(value);

    /// <summary>Forgets all of them.</summary>
    public void Clear() => _values.Clear();

    /// <summary>Of rates, the times that they mean.</summary>
    /// <param name="unit">Of the result in a second: 1,000 gives milliseconds.</param>
    public Samples Inverted(double unit)
    {
        var inverted = new Samples();
        foreach (var value in _values) inverted.Add(unit / value);
        return inverted;
    }

    /// <summary>The median and, between brackets, the extremes.</summary>
    /// <param name="format">A standard format of numbers.</param>
    public string Text(string format)
    {
        return $"{Number(Median)} ({Number(_values.Min())}–{Number(_values.Max())})";

        string Number(double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>Does something again and again for a while.</summary>
    /// <returns>Times per second.</returns>
    public static double Rate(Action act, TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        var times = 0;
        TimeSpan elapsed;
        do
        {
            act();
            times++;
            elapsed = Stopwatch.GetElapsedTime(started);
        }
        while (elapsed < duration);
        return times / elapsed.TotalSeconds;
    }
}
