using System.Globalization;
using Lab.Bench.Recording;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace Lab.Bench.Reporting;

/// <summary>The pictures of a run.</summary>
internal static class Pictures
{
    // More dots than these hide each other; percentiles of slices of time tell more.
    private const int MostDots = 800;
    private const int Slices = 80;

    /// <summary>Each request's latency, or of many requests percentiles, by the moment at which they were to be sent.</summary>
    /// <param name="run">The run.</param>
    /// <param name="harm">When somebody harmed workers: from, until, in seconds.</param>
    public static Picture LatencyOverTime(Measured run, IReadOnlyList<(double From, double Until)>? harm = null)
    {
        const string Title = "Latency over time";
        var dots = run.Samples.Count <= MostDots;
        var slices = dots ? [] : Slice(run.Samples, run.Seconds);
        var (wide, narrow) = Drawing.InBothSizes(Title, (plot, _) =>
        {
            foreach (var (from, until) in harm ?? [])
            {
                var span = plot.Add.HorizontalSpan(from, Math.Max(until, from + (run.Seconds / 300)));
                span.FillColor = Ink.Harm;
                span.LineWidth = 0;
            }

            if (dots)
            {
                Dots(sample => sample.TotalMs, Ink.First);
                Dots(sample => sample.InferenceMs, Ink.Second);
            }
            else
            {
                Line(slice => slice.P99, Ink.Third);
                Line(slice => slice.P95, Ink.Second);
                Line(slice => slice.P50, Ink.First);
            }

            plot.Axes.SetLimitsX(0, Math.Max(run.Seconds, 0.001));
            var most = dots ? run.Samples.Select(sample => (double)sample.TotalMs) : slices.Select(slice => slice.P99);
            plot.Axes.SetLimitsY(0, Math.Max(0.1, most.DefaultIfEmpty(1).Max() * 1.08));

            void Dots(Func<Sample, double> value, Color colour)
            {
                var scatter = plot.Add.ScatterPoints(run.Samples.Select(sample => (double)sample.Seconds).ToArray(), run.Samples.Select(value).ToArray());
                scatter.Color = colour;
                scatter.MarkerSize = 6;
            }

            void Line(Func<Percentiles, double> value, Color colour)
            {
                var scatter = plot.Add.ScatterLine(slices.Select(slice => slice.Seconds).ToArray(), slices.Select(value).ToArray());
                scatter.Color = colour;
                scatter.LineWidth = 2;
            }
        }, "seconds since the beginning", "milliseconds");
        (string, string)[] legend = dots ? [("first", "whole request"), ("second", "of that at the worker")] : [("first", "p50"), ("second", "p95"), ("third", "p99")];
        return new(Title,
            dots ? "One dot for each request, at the moment at which it was to be sent." : "Percentiles of the requests that were to be sent within the same slice of time.",
            harm is { Count: > 0 } ? [.. legend, ("harm", "a worker is harmed")] : legend, wide, narrow);
    }

    /// <summary>How many requests took no longer than what.</summary>
    public static Picture Distribution(Measured run)
    {
        const string Title = "Latency, cumulative";
        var points = run.Distribution;
        var (wide, narrow) = Drawing.InBothSizes(Title, (plot, isNarrow) =>
        {
            var xs = points.Select(point => Math.Log10(Math.Max(point.Ms, 0.001))).ToList();
            var ys = points.Select(point => point.Share * 100).ToList();
            if (xs.Count > 0)
            {
                // From the axis up: otherwise the curve of equal latencies would be a dot.
                xs.Insert(0, xs[0]);
                ys.Insert(0, 0);
            }

            var line = plot.Add.ScatterLine(xs.ToArray(), ys.ToArray());
            line.Color = Ink.First;
            line.LineWidth = 2;
            line.ConnectStyle = ConnectStyle.StepHorizontal;
            var (low, high) = xs.Count > 0 ? (xs[0] - 0.05, xs[^1] + 0.05) : (0, 1);
            plot.Axes.SetLimits(low, high, 0, 103);
            plot.Axes.Bottom.TickGenerator = LogTicks(low, high, isNarrow ? 5 : 9);
            plot.Axes.Left.TickGenerator = new NumericManual([0, 25, 50, 75, 90, 100], ["0", "25", "50", "75", "90", "100"]);
        }, "milliseconds (logarithmic)", "% of requests");
        return new(Title, "The share of requests that were answered within a time: the steeper, the more alike they are.", [], wide, narrow);
    }

    /// <summary>Who answered how many.</summary>
    public static Picture Workers(Measured run)
    {
        const string Title = "Requests per worker";
        var (wide, narrow) = Drawing.InBothSizes(Title, (plot, isNarrow) =>
        {
            var bars = plot.Add.Bars(run.Workers.Select((worker, i) => new Bar
            {
                Position = i,
                Value = worker.Answered,
                FillColor = Ink.First,
                LineWidth = 0,
                Size = 0.6,
            }).ToArray());
            bars.Horizontal = false;
            // A hundred names would be a grey line.
            var every = Math.Max(1, (int)Math.Ceiling(run.Workers.Count / (isNarrow ? 8.0 : 10)));
            var named = run.Workers.Index().Where(worker => worker.Index % every == 0).ToList();
            plot.Axes.Bottom.TickGenerator = new NumericManual(named.Select(worker => (double)worker.Index).ToArray(),
                named.Select(worker => isNarrow ? Short(worker.Item.Name) : worker.Item.Name).ToArray());
            plot.Axes.SetLimits(-0.6, run.Workers.Count - 0.4, 0, Math.Max(1, run.Workers.Select(worker => worker.Answered).DefaultIfEmpty(1).Max() * 1.08));
            WholeNumbers(plot.Axes.Left);
        }, "", "requests");
        return new(Title, "The longest idle worker is chosen, so that equal workers do equal work.", [], wide, narrow);
    }

    /// <summary>How many waited.</summary>
    public static Picture Queue(Measured run, string title = "Queue depth over time")
    {
        var (wide, narrow) = Drawing.InBothSizes(title, (plot, isNarrow) =>
        {
            var points = run.Depth.Draw(run.Seconds, isNarrow ? 200 : 400);
            var line = plot.Add.ScatterLine(points.Select(point => point.Seconds).ToArray(), points.Select(point => point.Depth).ToArray());
            line.Color = Ink.First;
            line.LineWidth = 2;
            line.ConnectStyle = ConnectStyle.StepHorizontal;
            plot.Axes.SetLimits(0, Math.Max(run.Seconds, 0.001), 0, Math.Max(1, points.Select(point => point.Depth).Max() * 1.08));
            WholeNumbers(plot.Axes.Left);
        }, "seconds since the beginning", "requests that wait");
        return new(title, run.DeepestQueue == 0
            ? "Nobody waited: there was a free worker for every request."
            : "Reconstructed to the millisecond from the waiting time that each answer tells; requests of other clients are not in it.", [], wide, narrow);
    }

    /// <summary>Speed-up by workers.</summary>
    public static Picture Scaling(ScaleResult scale)
    {
        const string Title = "Speed-up by number of workers";
        var (wide, narrow) = Drawing.InBothSizes(Title, (plot, _) =>
        {
            var xs = scale.Points.Select(point => (double)point.Workers).ToArray();
            var ideal = plot.Add.ScatterLine(xs, xs.Select(x => x / xs[0]).ToArray());
            ideal.Color = Ink.Axis;
            ideal.LineWidth = 1;
            ideal.LinePattern = LinePattern.Dashed;
            var line = plot.Add.Scatter(xs, scale.Points.Select(point => point.SpeedUp).ToArray());
            line.Color = Ink.First;
            line.LineWidth = 2;
            line.MarkerSize = 8;
            plot.Axes.SetLimits(0, xs[^1] * 1.05, 0, Math.Max(xs[^1] / xs[0], scale.Points.Max(point => point.SpeedUp)) * 1.08);
            plot.Axes.Bottom.TickGenerator = new NumericManual(xs, [.. scale.Points.Select(point => point.Workers.ToString(CultureInfo.InvariantCulture))]);
        }, "workers", "times as fast");
        return new(Title, "Against the throughput of the fewest workers.", [("first", "measured"), ("axis", "ideal: twice the workers, twice as fast")], wide, narrow);
    }

    /// <summary>What memory each process took.</summary>
    public static Picture Memory(SoakResult soak)
    {
        const string Title = "Memory of every process";
        var (wide, narrow) = Drawing.InBothSizes(Title, (plot, _) =>
        {
            foreach (var process in soak.Processes)
            {
                var line = plot.Add.ScatterLine(process.Points.Select(point => point.Seconds / 60).ToArray(), process.Points.Select(point => point.Megabytes).ToArray());
                line.Color = process.Kind switch { ProcessKind.Orchestrator => Ink.First, ProcessKind.Worker => Ink.Second, _ => Ink.Third };
                line.LineWidth = process.Kind is ProcessKind.Worker ? 1 : 2;
            }

            plot.Axes.SetLimits(
                0, Math.Max(0.01, soak.Processes.SelectMany(process => process.Points).Select(point => point.Seconds / 60).DefaultIfEmpty(0).Max()),
                0, soak.Processes.Select(process => process.Most).DefaultIfEmpty(1).Max() * 1.08);
        }, "minutes since the beginning", "working set in MB");
        return new(Title, "As the processes themselves tell it; what they share counts in each.",
            [("first", "orchestrator"), ("second", "workers"), .. soak.Processes.Where(process => process.Kind is ProcessKind.Other).Select(process => ("third", process.Name))], wide, narrow);
    }

    private static string Short(string name) => name.StartsWith("worker-", StringComparison.Ordinal) ? name["worker-".Length..] : name;

    private static void WholeNumbers(IAxis axis) => axis.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };

    private static NumericManual LogTicks(double low, double high, int most)
    {
        int[][] mantissas = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];
        List<double> ticks = [];
        foreach (var set in mantissas)
        {
            ticks = [.. Enumerable.Range((int)Math.Floor(low), (int)Math.Ceiling(high) - (int)Math.Floor(low) + 1)
                .SelectMany(decade => set.Select(mantissa => mantissa * Math.Pow(10, decade)))
                .Where(value => Math.Log10(value) >= low && Math.Log10(value) <= high)];
            if (ticks.Count <= most) break;
        }

        return new([.. ticks.Select(Math.Log10)], [.. ticks.Select(value => value.ToString("0.###", CultureInfo.InvariantCulture))]);
    }

    private static List<Percentiles> Slice(IReadOnlyList<Sample> samples, double seconds) => [.. samples
        .GroupBy(sample => Math.Min(Slices - 1, (int)(sample.Seconds / seconds * Slices)))
        .Select(slice =>
        {
            var sorted = slice.Select(sample => (double)sample.TotalMs).Order().ToList();
            return new Percentiles((slice.Key + 0.5) * seconds / Slices, At(50), At(95), At(99));

            double At(double percent) => sorted[(int)Math.Ceiling(sorted.Count * percent / 100) - 1];
        }).OrderBy(slice => slice.Seconds)];

    private sealed record Percentiles(double Seconds, double P50, double P95, double P99);
}
