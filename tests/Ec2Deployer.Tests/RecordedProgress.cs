using System.Collections.Concurrent;
using System.Diagnostics;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests;

/// <summary>Keeps what it hears, with the seconds that each step took.</summary>
internal sealed class RecordedProgress(Action<string>? say = null) : IProgressSink
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public IProgressStep Begin(string title, string? host = null) => new Step(this, host is null ? title : $"{title} ({host})");

    public void Note(string message) => Add($"note: {message}");

    public void Audit(string action, string subject) => Add($"audit: {action} {subject}");

    private void Add(string line)
    {
        Lines.Enqueue(line);
        say?.Invoke(line);
    }

    private sealed class Step(RecordedProgress progress, string title) : IProgressStep
    {
        private readonly long _started = Stopwatch.GetTimestamp();
        private bool _done;
        private string? _said;

        public void Report(long done, long total)
        {
        }

        public void Say(string detail)
        {
            if (detail == _said) return;
            _said = detail;
            progress.Add($"{title}: {detail}");
        }

        public void Done(string outcome = "done")
        {
            _done = true;
            progress.Add($"{title}: {outcome} [{Stopwatch.GetElapsedTime(_started).TotalSeconds:F1} s]");
        }

        public void Dispose()
        {
            if (!_done) progress.Add($"{title}: FAILED [{Stopwatch.GetElapsedTime(_started).TotalSeconds:F1} s]");
        }
    }
}
