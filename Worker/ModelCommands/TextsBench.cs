using System.Globalization;
using Lab.Worker.Compilation;
using Lab.Worker.Tokenization;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary>Measures with real texts: the tokeniser, and what packing gains where lengths are mixed.</summary>
internal static class TextsBench
{
    private const int MaxTexts = 4096;
    private const int Batch = 32;

    /// <summary>Measures and prints.</summary>
    public static int Run(LoadedModel model, IReadOnlyList<LabelledText> labelled, Precision[] precisions, Turns turns)
    {
        // Spread over the whole file, whose order may not be of chance.
        var step = Math.Max(1, labelled.Count / MaxTexts);
        LabelledText[] texts = [.. labelled.Where((_, i) => i % step == 0).Take(MaxTexts)];
        TokenizedText[] tokens = [.. texts.Select(text => text.Encode(model.Tokenizer))];
        var rows = new List<(string What, string Detail, Samples Rates)>();
        var measurements = new List<Action<TimeSpan>>();
        var next = 0;

        Add("tokeniser", "", Batch, at =>
        {
            for (var i = 0; i < Batch; i++) texts[(at + i) % texts.Length].Encode(model.Tokenizer);
        });
        var sessions = precisions.ToDictionary(precision => precision, precision => model.Open(new(precision)));
        foreach (var (precision, session) in sessions)
        {
            var name = precision.ToString().ToLowerInvariant();
            Add(name, "one at a time", 1, at => session.ComputeLogits([tokens[at % tokens.Length]]));
            foreach (var size in (int[])[8, Batch])
                Add(name, $"packed, {size} at once", size, at => session.ComputeLogits([.. Enumerable.Range(at, size).Select(i => tokens[i % tokens.Length])]));
        }

        turns.Take(measurements, () =>
        {
            foreach (var (_, _, rates) in rows) rates.Clear();
        });
        foreach (var session in sessions.Values) session.Dispose();

        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{texts.Length} texts, mean {tokens.Average(text => text.TokenIds.Length):F1} tokens, {texts.Average(text => text.Text.Length + (text.Pair?.Length ?? 0)):F0} characters; one thread"));
        var table = new Table().Border(TableBorder.Markdown).AddColumns("", "", "texts/s");
        foreach (var (what, detail, rates) in rows) table.AddRow(what, detail, rates.Text("F0"));
        AnsiConsole.Write(table);
        return 0;

        void Add(string what, string detail, int size, Action<int> act)
        {
            var rates = new Samples();
            rows.Add((what, detail, rates));
            measurements.Add(duration => rates.Add(size * Samples.Rate(() => act(next = (next + size) % texts.Length), duration)));
        }
    }
}
