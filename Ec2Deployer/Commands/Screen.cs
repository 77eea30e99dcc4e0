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

    /// <param name="environment">Where it writes.</param>
    /// <param name="json">Results are for machines.</param>
    /// <param name="asks">Whether somebody can be asked.</param>
    public Screen(CommandEnvironment environment, bool json, bool asks)
    {
        (_environment, IsJson, _asks) = (environment, json, asks);
        IsTerminal = environment.OutIsTerminal;
        Out = Create(environment.Out, environment.OutIsTerminal);
    }

    /// <summary>Results for people.</summary>
    public IAnsiConsole Out { get; }

    /// <summary>Whether somebody looks at the results as they come.</summary>
    public bool IsTerminal { get; }

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
        Out.MarkupLine($"[dim]{Markup.Escape(Row(heads))}[/]");
        foreach (var row in all) Line(Row(row));

        string Row(IReadOnlyList<string> cells) => ("  " + string.Join("  ", cells.Select((cell, column) => cell.PadRight(widths[column])))).TrimEnd();
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

    private static IAnsiConsole Create(TextWriter writer, bool terminal)
    {
        var plain = !terminal || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        // A file or a pipe has no edge at which lines would have to be broken.
        if (!terminal) console.Profile.Width = 4096;
        return console;
    }
}
