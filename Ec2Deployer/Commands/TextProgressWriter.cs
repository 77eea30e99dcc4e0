using System.Globalization;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Progress for people: a line when something ends, and on a terminal one moving line with whatever is under way.</summary>
/// <param name="writer">Standard error.</param>
/// <param name="terminal">Whether somebody looks at it as it comes.</param>
/// <param name="time">The clock.</param>
internal sealed class TextProgressWriter(TextWriter writer, bool terminal, TimeProvider time) : IProgressWriter
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Sign = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly List<ProgressStep> _running = [];
    private ITimer? _timer;
    private int _width;

    /// <inheritdoc/>
    public void Begin(ProgressStep step)
    {
        var every = terminal ? Beat : Sign;
        lock (_lock)
        {
            _running.Add(step);
            _timer ??= time.CreateTimer(_ => Tick(), null, every, every);
        }
    }

    /// <inheritdoc/>
    public void Say(ProgressStep step)
    {
        // The next tick shows it.
    }

    /// <inheritdoc/>
    public void End(ProgressStep step, bool succeeded, string outcome)
    {
        lock (_lock)
        {
            _running.Remove(step);
            Print($"  {(succeeded ? "✓" : "✗")} {Title(step)}{Part(outcome)}{Took(step)}");
        }
    }

    /// <inheritdoc/>
    public void Note(string message)
    {
        lock (_lock) Print($"  ! {message}");
    }

    /// <inheritdoc/>
    public void Error(ExitCode code, string message, string? detail = null)
    {
        lock (_lock)
        {
            Print(message);
            if (detail is not null) Print(detail);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            Clear();
        }
    }

    private static string Title(ProgressStep step) => step.Host is { } host ? $"{host}: {step.Title}" : step.Title;

    private static string Part(string text) => text.Length > 0 ? $"  {text}" : "";

    private static string Took(ProgressStep step)
    {
        var took = step.Elapsed;
        return took < TimeSpan.FromSeconds(1) ? "" : string.Create(CultureInfo.InvariantCulture, $"  ({took.TotalSeconds:F0} s)");
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_running.Count == 0) return;
            var step = _running[^1];
            var line = $"  … {Title(step)}{Part(step.Detail)}{Took(step)}{(_running.Count > 1 ? $"  and {_running.Count - 1} more" : "")}";
            if (!terminal)
            {
                // Whoever reads a log learns that it lives.
                if (step.Elapsed >= Sign) writer.WriteLine(line);
                return;
            }

            var width = Math.Max(20, SafeWidth() - 1);
            if (line.Length > width) line = line[..width];
            writer.Write($"\r{line}{new string(' ', Math.Max(0, _width - line.Length))}");
            writer.Flush();
            _width = line.Length;
        }
    }

    private void Print(string line)
    {
        Clear();
        writer.WriteLine(line);
    }

    private void Clear()
    {
        if (_width == 0) return;
        writer.Write($"\r{new string(' ', _width)}\r");
        _width = 0;
    }

    private static int SafeWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
