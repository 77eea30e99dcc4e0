using System.Text.Json;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Progress for another program: one <see cref="ProgressEvent"/> a line, flushed at once, and nothing else.</summary>
/// <param name="writer">Standard error.</param>
/// <param name="time">The clock.</param>
internal sealed class JsonProgressWriter(TextWriter writer, TimeProvider time) : IProgressWriter
{
    /// <summary>Between two lines with what a step is at: uploads tell of every block.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Said> _running = [];
    private ITimer? _timer;

    /// <inheritdoc/>
    public void Begin(ProgressStep step)
    {
        lock (_lock)
        {
            _running[step.Id] = new(step);
            _timer ??= time.CreateTimer(_ => Tick(), null, Interval, Interval);
            Write(new() { Event = "begin", Id = step.Id, Title = step.Title, Host = step.Host });
        }
    }

    /// <inheritdoc/>
    public void Say(ProgressStep step)
    {
        lock (_lock)
        {
            if (_running.TryGetValue(step.Id, out var said)) WriteDetail(said, atOnce: false);
        }
    }

    /// <inheritdoc/>
    public void End(ProgressStep step, bool succeeded, string outcome)
    {
        lock (_lock)
        {
            // What waits for its turn would be lost where something else is the outcome.
            if (_running.Remove(step.Id, out var said) && step.Detail != outcome) WriteDetail(said, atOnce: true);
            Write(new() { Event = "end", Id = step.Id, Succeeded = succeeded, Outcome = outcome, Seconds = Math.Round(step.Elapsed.TotalSeconds, 3) });
        }
    }

    /// <inheritdoc/>
    public void Note(string message)
    {
        lock (_lock) Write(new() { Event = "note", Message = message });
    }

    /// <inheritdoc/>
    public void Error(ExitCode code, string message, string? detail = null)
    {
        lock (_lock) Write(new() { Event = "error", Message = message, ExitCode = (int)code, Detail = detail });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock) _timer?.Dispose();
    }

    private void Tick()
    {
        lock (_lock)
        {
            foreach (var said in _running.Values) WriteDetail(said, atOnce: false);
        }
    }

    private void WriteDetail(Said said, bool atOnce)
    {
        var detail = said.Step.Detail;
        if (detail == said.Detail || (!atOnce && said.At is { } at && time.GetElapsedTime(at) < Interval)) return;
        (said.Detail, said.At) = (detail, time.GetTimestamp());
        Write(new() { Event = "say", Id = said.Step.Id, Detail = detail });
    }

    private void Write(ProgressEvent line)
    {
        // In one call, so that no other writer's line gets between, and with the same end everywhere.
        writer.Write(JsonSerializer.Serialize(line, ProgressEventJson.Default.ProgressEvent) + "\n");
        writer.Flush();
    }

    private sealed class Said(ProgressStep step)
    {
        public ProgressStep Step => step;

        /// <summary>The last detail written.</summary>
        public string Detail { get; set; } = "";

        /// <summary>When it was written, or null.</summary>
        public long? At { get; set; }
    }
}
