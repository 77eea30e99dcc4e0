using System.Globalization;
using Lab.Bench.Load;
using Lab.Bench.Recording;
using Lab.Bench.Reporting;

namespace Lab.Bench.Running;

/// <summary>A line now and then, for logs and pipes.</summary>
internal sealed class PlainView(TextWriter output, TimeSpan interval) : IRunView
{
    public async Task ShowAsync(LoadPlan plan, Func<RunProgress> look, TimeProvider time, CancellationToken ended)
    {
        await output.WriteLineAsync($"Running: {plan.Describe()}");
        while (true)
        {
            await Task.Delay(interval, time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            await output.WriteLineAsync(Line(look()));
        }
    }

    /// <summary>The state of a run in one line.</summary>
    public static string Line(RunProgress progress)
    {
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{progress.Elapsed.TotalSeconds,6:0.0} s  sent {progress.Sent}  answered {progress.Answered}  p50 {Numbers.Ms(progress.P50)} ms  p95 {Numbers.Ms(progress.P95)} ms  p99 {Numbers.Ms(progress.P99)} ms");
        if (progress.Wrong > 0) line += $"  wrong {progress.Wrong}";
        if (progress.Lost > 0) line += $"  lost {progress.Lost}";
        if (progress.NotSent > 0) line += $"  not sent {progress.NotSent}";
        foreach (var (reason, count) in progress.Refused) line += $"  refused {count} ({reason})";
        return line;
    }
}
