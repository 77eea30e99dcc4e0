using System.CommandLine;
using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary>
/// <c>model bench</c>: how fast a model is here. All configurations take turns, so that whatever else the machine does
/// falls on all alike; the tables show medians, least and most.
/// </summary>
internal static class BenchCommand
{
    private const double MinSeconds = 0.01;
    private const double MaxSeconds = 3600;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = ModelArguments.Directory();
        var lengths = ModelArguments.Numbers("--seq", [16, 32, 128], 1 << 14, "Lengths of the texts in tokens.");
        var batches = ModelArguments.Numbers("--batch", [1, 8], 32, "Texts in one computation.");
        var threads = ModelArguments.Numbers("--threads", [1], 256, "Threads that work on one computation.");
        var precisions = ModelArguments.SomeOf("--precision", Precision.Int8, "int8, fp32, or both: --precision int8 fp32.");
        var rounds = ModelArguments.Number("--rounds", 5, "Turns for each.");
        var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 0.5, Description = "Length of a turn." };
        var texts = new Option<string?>("--texts") { Description = "A file of real texts (TSV): measures the tokeniser, and packing against one text at a time." };
        var command = new Command("bench", "Measures latency and throughput, and how near they come to this machine's peak.")
        {
            directory, lengths, batches, threads, precisions, rounds, seconds, texts,
        };
        command.SetAction((parse, cancellationToken) => ModelCommand.GuardAsync(() =>
        {
            var model = LoadedModel.Read(parse.GetRequiredValue(directory));
            var asked = parse.GetValue(lengths)!;
            // Without the option as many of the usual ones as the model can read.
            if (parse.GetResult(lengths) is not { Implicit: false })
                asked = asked.Where(length => length <= model.Config.MaxPositions).DefaultIfEmpty(model.Config.MaxPositions).ToArray();
            foreach (var length in asked)
                if (length > model.Config.MaxPositions) throw new FormatException($"--seq {length}: the model's longest input has {model.Config.MaxPositions} tokens");
            var duration = parse.GetValue(seconds);
            if (duration is not (>= MinSeconds and <= MaxSeconds)) throw new FormatException($"--seconds is {duration}; it must be {MinSeconds} to {MaxSeconds}");
            if (parse.GetValue(rounds) < 1) throw new FormatException($"--rounds is {parse.GetValue(rounds)}; it must be at least 1");
            // Before anything is printed: a file that cannot be read is one line.
            var labelled = parse.GetValue(texts) is { } file ? LabelledTexts.Read(file, labels: null) : null;
            var turns = new Turns(parse.GetValue(rounds), TimeSpan.FromSeconds(duration), cancellationToken);
            AnsiConsole.WriteLine($"{Processor.Current.Features}, {Environment.ProcessorCount} cores, ONNX Runtime {OnnxRuntimeProcess.Version}; {turns.Rounds} × {turns.Duration.TotalSeconds} s each in turn, medians (least–most)");
            if (labelled is not null)
                return TextsBench.Run(model, labelled, parse.GetValue(precisions)!, turns);
            return Run(model, asked, parse.GetValue(batches)!, parse.GetValue(threads)!, parse.GetValue(precisions)!, turns);
        }));
        return command;
    }

    private static int Run(LoadedModel model, int[] lengths, int[] batches, int[] threads, Precision[] precisions, Turns turns)
    {
        using var owned = new Owned();
        var peaks = new Dictionary<(Precision, int), (PeakProduct Product, Samples Samples)>();
        var rows = new List<Row>();
        foreach (var precision in precisions)
        {
            foreach (var count in threads)
            {
                peaks.Add((precision, count), (owned.Add(new PeakProduct(precision, count)), new()));
                var session = owned.Add(model.Open(new(precision, count)));
                foreach (var batch in batches)
                    rows.AddRange(lengths.Select(length => new Row(session, precision, count, batch, length, RandomTexts.Of(model.Config, batch, length))));
            }
        }

        turns.Take(
        [
            .. peaks.Values.Select(peak => (Action<TimeSpan>)(duration => peak.Samples.Add(peak.Product.Measure(duration)))),
            .. rows.Select(row => (Action<TimeSpan>)(duration => row.Rates.Add(Samples.Rate(() => row.Session.ComputeLogits(row.Texts), duration)))),
        ], () =>
        {
            foreach (var (_, samples) in peaks.Values) samples.Clear();
            foreach (var row in rows) row.Rates.Clear();
        });

        var table = new Table().Border(TableBorder.Markdown)
            .AddColumns("precision", "threads", "batch", "tokens", "ms", "texts/s", "GOP/s", "of peak", "whole model's GOP/s");
        foreach (var row in rows)
        {
            var times = row.Rates.Inverted(1000);
            var perSecond = row.Rates.Median * row.Batch;
            var done = perSecond * Work.Done(model.Config, row.Length);
            table.AddRow(
                row.Precision.ToString().ToLowerInvariant(), Text(row.Threads), Text(row.Batch), Text(row.Length), times.Text("F2"),
                perSecond.ToString("F1", CultureInfo.InvariantCulture), (done / 1e9).ToString("F0", CultureInfo.InvariantCulture),
                (done / peaks[(row.Precision, row.Threads)].Samples.Max).ToString("P0", CultureInfo.InvariantCulture),
                (perSecond * Work.OfWholeModel(model.Config, row.Length) / 1e9).ToString("F0", CultureInfo.InvariantCulture));
        }

        AnsiConsole.Write(table);
        foreach (var ((precision, count), (_, samples)) in peaks)
            AnsiConsole.WriteLine($"Peak, {precision.ToString().ToLowerInvariant()}, threads {count}: {samples.Max / 1e9:F0} GOP/s, the best of {turns.Rounds} large matrix products. GOP/s counts what is computed; of the last layer that is [CLS] only.");
        return 0;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record Row(ClassifierSession Session, Precision Precision, int Threads, int Batch, int Length, int[][] Texts)
    {
        public Samples Rates { get; } = new();
    }

    private sealed class Owned : IDisposable
    {
        private readonly List<IDisposable> _all = [];

        public T Add<T>(T one)
            where T : IDisposable
        {
            _all.Add(one);
            return one;
        }

        public void Dispose()
        {
            foreach (var one in _all) one.Dispose();
        }
    }
}
