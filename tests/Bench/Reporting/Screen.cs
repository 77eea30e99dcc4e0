using Lab.Bench.Recording;
using Lab.Bench.Running;
using Spectre.Console;

namespace Lab.Bench.Reporting;

/// <summary>Where the program writes: colour and movement on a terminal, plain lines elsewhere or where NO_COLOR is set (no-color.org).</summary>
internal sealed class Screen
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);

    private readonly TextWriter _output;
    private readonly IAnsiConsole _console;

    /// <param name="output">Where to.</param>
    /// <param name="isTerminal">Whether somebody looks.</param>
    public Screen(TextWriter output, bool isTerminal)
    {
        _output = output;
        IsPlain = !isTerminal || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = IsPlain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = IsPlain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = IsPlain ? InteractionSupport.No : InteractionSupport.Detect,
        });
        // A file or a pipe has no edge at which lines would have to be broken.
        if (IsPlain) _console.Profile.Width = 4096;
    }

    public bool IsPlain { get; }

    /// <summary>What shows a run.</summary>
    public IRunView View() => IsPlain ? new PlainView(_output, LineInterval) : new LiveView(_console);

    /// <summary>A line.</summary>
    public void Line(string text = "") => _output.WriteLine(text);

    /// <summary>A line that must not be overlooked.</summary>
    public void Warn(string text) => _console.MarkupLine($"[yellow]Warning:[/] {Markup.Escape(text)}");

    /// <summary>The sentence that matters.</summary>
    public void Verdict(string text, bool good) => _console.MarkupLine($"[bold {(good ? "green" : "red")}]{Markup.Escape(text)}[/]");

    /// <summary>Columns without a frame, fit for eyes, <c>grep</c> and <c>awk</c>; all but the first are numbers.</summary>
    public void Table(IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.ToList();
        var widths = heads.Select((head, column) => all.Select(row => row[column].Length).Append(head.Length).Max()).ToList();
        _console.MarkupLine($"[dim]{Markup.Escape(Row(heads))}[/]");
        foreach (var row in all) Line(Row(row));

        string Row(IReadOnlyList<string> cells) =>
            ("  " + string.Join("  ", cells.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column])))).TrimEnd();
    }

    /// <summary>A run as a table.</summary>
    public void Show(RunResult result)
    {
        var run = result.Recording;
        Line();
        Verdict(Findings.Verdict(result), run.Verdict is ExitCode.AllAnswered);
        Line();
        Table(["", ""], [
            ["load", result.Plan.Describe()],
            ["throughput", $"{Numbers.Rate(run.Throughput)} requests/s"],
            ["time", $"{Numbers.Seconds(run.Seconds)} s"],
            ["answered", Numbers.Count(run.Answered)],
            ["wrong", Numbers.Count(run.Wrong)],
            ["lost", Numbers.Count(run.Lost)],
            ["refused", run.RefusedCount == 0 ? "0" : string.Join("; ", run.Refused.Select(reason => $"{Numbers.Count(reason.Value)} × {reason.Key}"))],
            .. run.NotSent > 0 ? [(IReadOnlyList<string>)["not sent", Numbers.Count(run.NotSent)]] : Array.Empty<IReadOnlyList<string>>(),
            ["more than one attempt", Numbers.Count(run.Retried)],
            ["deepest queue", Numbers.Count(run.DeepestQueue)],
        ]);
        Line();
        Table(["milliseconds", "p50", "p90", "p95", "p99", "max", "mean"], [
            Numbers.Cells("whole request", run.Total), Numbers.Cells("in the queue", run.Queue), Numbers.Cells("at the worker", run.Inference), Numbers.Cells("rest: network, HTTP", run.Rest),
        ]);
        Line();
        Table(["worker", "answers", "at the worker p50 ms", "p99 ms", "texts/dispatch"], run.Workers.Select(worker => (IReadOnlyList<string>)
            [worker.Name, Numbers.Count(worker.Answered), Numbers.Ms(worker.Inference.P50), Numbers.Ms(worker.Inference.P99), worker.MeanBatch.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)]));
        Line();
        Line(Findings.Agreement(result));
        Line(Findings.Generator(result));
        foreach (var warning in result.Warnings()) Warn(warning);
    }

    /// <summary>What was wrong or lost.</summary>
    public void Show(IReadOnlyList<Incident> incidents, int most)
    {
        foreach (var incident in incidents.Take(most))
            Line($"  request #{incident.Number} {incident.What} (sent at {Numbers.Seconds(incident.SentAtSeconds)} s): {incident.Reason}; text \"{incident.Text}\"");
        if (incidents.Count > most) Line($"  and {incidents.Count - most} more, in result.json");
    }
}
