using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>
/// Progress on standard error: a line when something ends, and on a terminal one moving line with whatever is under way.
/// Every action goes to the audit log too.
/// </summary>
internal sealed class ConsoleProgress : IProgressSink, IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Sign = TimeSpan.FromSeconds(15);

    private readonly TextWriter _writer;
    private readonly bool _terminal;
    private readonly DeploymentDirectory _directory;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly List<Step> _running = [];
    private readonly ITimer _timer;
    private int _width;

    /// <param name="surroundings">Where it writes.</param>
    /// <param name="directory">Where the audit log is.</param>
    public ConsoleProgress(Surroundings surroundings, DeploymentDirectory directory)
    {
        (_writer, _terminal, _directory, _time) = (surroundings.Error, surroundings.ErrorIsTerminal, directory, surroundings.Time);
        var every = _terminal ? Beat : Sign;
        _timer = _time.CreateTimer(_ => Tick(), null, every, every);
    }

    /// <inheritdoc/>
    public IProgressStep Begin(string title, string? host = null)
    {
        var step = new Step(this, host is null ? title : $"{host}: {title}");
        lock (_lock) _running.Add(step);
        return step;
    }

    /// <inheritdoc/>
    public void Note(string message)
    {
        lock (_lock) Print($"  ! {message}");
    }

    /// <inheritdoc/>
    public void Audit(string action, string subject) => _directory.Audit(_time.GetUtcNow(), action, subject);

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock) Clear();
    }

    private void End(Step step, string mark, string outcome)
    {
        lock (_lock)
        {
            if (!_running.Remove(step)) return;
            Print($"  {mark} {step.Title}{(outcome.Length > 0 ? $"  {outcome}" : "")}{Took(step)}");
        }
    }

    private string Took(Step step)
    {
        var took = _time.GetElapsedTime(step.Began);
        return took < TimeSpan.FromSeconds(1) ? "" : string.Create(CultureInfo.InvariantCulture, $"  ({took.TotalSeconds:F0} s)");
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_running.Count == 0) return;
            var step = _running[^1];
            var line = $"  … {step.Title}{step.Detail}{Took(step)}{(_running.Count > 1 ? $"  and {_running.Count - 1} more" : "")}";
            if (!_terminal)
            {
                // Whoever reads a log learns that it lives.
                if (_time.GetElapsedTime(step.Began) >= Sign) _writer.WriteLine(line);
                return;
            }

            var width = Math.Max(20, SafeWidth() - 1);
            if (line.Length > width) line = line[..width];
            _writer.Write($"\r{line}{new string(' ', Math.Max(0, _width - line.Length))}");
            _writer.Flush();
            _width = line.Length;
        }
    }

    private void Print(string line)
    {
        Clear();
        _writer.WriteLine(line);
    }

    private void Clear()
    {
        if (_width == 0) return;
        _writer.Write($"\r{new string(' ', _width)}\r");
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

    private sealed class Step(ConsoleProgress progress, string title) : IProgressStep
    {
        public string Title { get; } = title;

        public string Detail { get; private set; } = "";

        public long Began { get; } = progress._time.GetTimestamp();

        public void Report(long done, long total) => Detail = total switch
        {
            0 => $"  {Amount(done)}",
            < 10_000 => string.Create(CultureInfo.InvariantCulture, $"  {done} of {total}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"  {Amount(done)} of {Amount(total)} ({100 * done / total} %)"),
        };

        public void Say(string detail) => Detail = $"  {detail}";

        public void Done(string outcome) => progress.End(this, "✓", outcome);

        public void Dispose() => progress.End(this, "✗", Detail.Trim());

        private static string Amount(long bytes) => bytes < 1_000_000
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:F0} kB")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");
    }
}
