namespace Lab.AppHost.LocalHost;

/// <summary>Everybody's lines on one terminal, each behind the name of who wrote it.</summary>
internal sealed class Output
{
    private const string Own = "apphost";
    private const string Red = "\e[1;31m";
    private const string Bold = "\e[1m";
    private static readonly string[] Colours = ["\e[36m", "\e[33m", "\e[32m", "\e[35m", "\e[34m", "\e[96m", "\e[93m", "\e[92m", "\e[95m"];

    private readonly TextWriter _writer;
    private readonly bool _colour;
    private readonly Dictionary<string, string> _colours = [];
    private readonly int _width = Own.Length;

    public Output(TextWriter writer, bool colour, IEnumerable<string> names)
    {
        _writer = TextWriter.Synchronized(writer);
        _colour = colour;
        foreach (var name in names)
        {
            _colours[name] = Colours[_colours.Count % Colours.Length];
            _width = Math.Max(_width, name.Length);
        }
    }

    /// <summary>Whether the terminal is one and its user has not asked for plain text (no-color.org).</summary>
    public static bool WantsColour()
        => !Console.IsOutputRedirected
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
            && Environment.GetEnvironmentVariable("TERM") != "dumb";

    public void From(string name, string line) => Write(name, _colours.GetValueOrDefault(name, ""), line, "");

    public void Say(string line) => Write(Own, Bold, line, Bold);

    public void Complain(string line, IEnumerable<string>? evidence = null)
    {
        Write(Own, Red, line, Red);
        foreach (var one in evidence ?? [])
            Write(Own, Red, "    " + one, "");
    }

    private void Write(string name, string nameColour, string line, string lineColour)
    {
        var prefix = name.PadRight(_width) + " | ";
        _writer.WriteLine(_colour
            ? $"{nameColour}{prefix}\e[0m{lineColour}{line}{(lineColour.Length > 0 ? "\e[0m" : "")}"
            : prefix + line);
    }
}
