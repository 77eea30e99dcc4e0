using System.Text.Json;
using System.Text.Json.Serialization;
using Lab.Ec2Deployer.Reporting;
using Spectre.Console;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Results for people or for machines on standard output, questions on standard error.</summary>
internal sealed class Screen
{
    private static readonly JsonSerializerOptions JsonForm = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonSerializerOptions JsonLineForm = new(JsonForm) { WriteIndented = false };

    private readonly CommandEnvironment _environment;
    private readonly bool _asks;
    private bool _isDrawn;

    /// <param name="environment">Where it writes.</param>
    /// <param name="json">Results are for machines.</param>
    /// <param name="asks">Whether somebody can be asked.</param>
    public Screen(CommandEnvironment environment, bool json, bool asks)
    {
        (_environment, IsJson, _asks) = (environment, json, asks);
        IsTerminal = environment.OutIsTerminal;
        Out = Create(environment.Out, environment.OutIsTerminal, environment.TerminalSize);
    }

    /// <summary>Results for people.</summary>
    public IAnsiConsole Out { get; }

    /// <summary>Whether somebody looks at the results as they come.</summary>
    public bool IsTerminal { get; }

    /// <summary>Whether what was written can be written over.</summary>
    public bool CanRedraw => IsTerminal && Environment.GetEnvironmentVariable("TERM") is not "dumb";

    /// <summary>Whether results are for machines.</summary>
    public bool IsJson { get; }

    /// <summary>Whether somebody can be asked.</summary>
    public bool Asks => _asks;

    /// <summary>Writes a result for machines.</summary>
    public void Json(object result) => _environment.Out.WriteLine(JsonText(result));

    /// <summary>Writes one of several results for machines: each is a line, so that a reader need not wait for the last (https://github.com/ndjson/ndjson-spec).</summary>
    public void JsonLine(object result)
    {
        _environment.Out.WriteLine(JsonSerializer.Serialize(result, JsonLineForm));
        _environment.Out.Flush();
    }

    /// <summary>A result for machines.</summary>
    public static string JsonText(object result) => JsonSerializer.Serialize(result, JsonForm);

    /// <summary>What is written for people, as a file holds it: without colour or the edge of a terminal.</summary>
    /// <param name="write">Writes it.</param>
    public string Text(Action<Screen> write)
    {
        using var text = new StringWriter();
        write(new Screen(_environment with { Out = text, OutIsTerminal = false }, json: false, asks: false));
        return text.ToString().ReplaceLineEndings("\n");
    }

    /// <summary>Writes for people in the place of what was written so before, all at once, so that nothing flickers. For terminals alone.</summary>
    /// <param name="write">Writes it.</param>
    public void Redraw(Action<Screen> write)
    {
        var (width, height) = (Out.Profile.Width, Out.Profile.Height);
        using var text = new StringWriter { NewLine = "\n" };
        var screen = new Screen(_environment with { Out = text, TerminalSize = () => (width, height) }, json: false, asks: false);
        write(screen);
        var lines = text.ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        // A line that does not fit would move the others up, and the next picture would not be in its place.
        if (lines.Length >= height && height > 2) lines = [.. lines[..(height - 2)], string.Create(System.Globalization.CultureInfo.InvariantCulture, $"… {lines.Length - height + 2} more lines: a higher window shows them")];
        // ECMA-48: from the first place on, each line cleared behind its end, and what is below it.
        _environment.Out.Write($"{(_isDrawn ? "" : "\e[2J")}\e[H{string.Concat(lines.Select(line => $"{line}\e[K\n"))}\e[J");
        _environment.Out.Flush();
        _isDrawn = true;
    }

    /// <summary>A line of a result.</summary>
    public void Line(string text = "") => Out.WriteLine(text);

    /// <summary>A heading over a part of a result.</summary>
    public void Heading(string text)
    {
        Out.WriteLine();
        Out.MarkupLine($"[bold]{Markup.Escape(text)}[/]");
    }

    /// <summary>Columns without a frame, and without blanks at the ends of lines: fit for eyes, <c>grep</c> and <c>awk</c>.</summary>
    public void Table(IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.ToList();
        var widths = heads.Select((head, column) => all.Select(row => row[column].Length).Append(head.Length).Max()).ToList();
        if (IsTerminal && widths.Sum() + (2 * widths.Count) > Out.Profile.Width)
        {
            foreach (var row in all) Card(heads, row);
            return;
        }

        Out.MarkupLine($"[dim]{Markup.Escape(Row(heads))}[/]");
        foreach (var row in all) Line(Row(row));

        string Row(IReadOnlyList<string> cells) => ("  " + string.Join("  ", cells.Select((cell, column) => cell.PadRight(widths[column])))).TrimEnd();
    }

    // A row that is wider than the window: its name, and the rest below it, broken between two values and never within one.
    private void Card(IReadOnlyList<string> heads, IReadOnlyList<string> cells)
    {
        const string Indent = "    ";
        Out.MarkupLine($"  [bold]{Markup.Escape(cells[0])}[/]");
        var line = Indent;
        foreach (var part in cells.Zip(heads).Skip(1).Where(cell => cell.First is not ("" or "–")).Select(cell => cell.Second.Length == 0 ? cell.First : $"{cell.Second} {cell.First}"))
        {
            if (line.Length > Indent.Length && line.Length + 2 + part.Length > Out.Profile.Width)
            {
                Line(line);
                line = Indent;
            }

            line += line.Length > Indent.Length ? $", {part}" : part;
        }

        if (line.Length > Indent.Length) Line(line);
    }

    /// <summary>Sees that somebody can be asked, before what is asked about is looked at.</summary>
    /// <exception cref="DeploymentException">Nobody can be asked.</exception>
    public void RequireSomebody()
    {
        if (!_asks)
            throw new DeploymentException(ExitCode.Usage, "Nobody can be asked here: add --yes to do it without a question. Nothing was changed.");
    }

    /// <summary>Asks; nobody to ask is an error, for silence is no consent.</summary>
    /// <exception cref="DeploymentException">Nobody can be asked.</exception>
    public bool Confirm(string question)
    {
        RequireSomebody();
        _environment.Error.Write($"{question} [y/N] ");
        return _environment.In.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes";
    }

    /// <summary>Asks for what nobody shall see.</summary>
    /// <exception cref="DeploymentException">Nobody can be asked.</exception>
    public string Secret(string question)
    {
        if (!_asks) throw new DeploymentException(ExitCode.Usage, "Nobody can be asked here: --passphrase-file FILE names the passphrase. Nothing was changed.");
        _environment.Error.Write(question);
        return (_environment.ReadSecret ?? _environment.In.ReadLine)() ?? "";
    }

    private static IAnsiConsole Create(TextWriter writer, bool terminal, Func<(int Width, int Height)>? size)
    {
        var plain = !terminal || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            // Where the size is told, so is that it is a terminal as all are.
            Ansi = plain ? AnsiSupport.No : size is not null ? AnsiSupport.Yes : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        // A file or a pipe has no edge at which lines would have to be broken.
        if (!terminal) console.Profile.Width = 4096;
        else if (size is not null) (console.Profile.Width, console.Profile.Height) = size();
        return console;
    }
}
