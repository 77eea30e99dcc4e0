using Lab.Bench.Dispatch;

namespace Lab.Bench.Peers;

/// <summary>Everybody takes turns, so that whatever else the machine does falls on all alike.</summary>
/// <param name="Rounds">Turns for each that count; one more goes before and warms up.</param>
/// <param name="Seconds">Length of a turn.</param>
/// <param name="Connections">Connections of wrk.</param>
internal sealed record Turns(int Rounds, int Seconds, int Connections)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(10);

    /// <summary>Runs all turns.</summary>
    /// <param name="groups">Subjects with the wrk script for each.</param>
    /// <param name="cancellation">Ends the run between two turns.</param>
    public async Task RunAsync(IReadOnlyList<(IReadOnlyList<Subject> Subjects, string Script)> groups, CancellationToken cancellation)
    {
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var (subjects, script) in groups)
            {
                foreach (var subject in subjects)
                {
                    cancellation.ThrowIfCancellationRequested();
                    var before = ProcessorTime(subject);
                    var output = await Child.RunAsync("wrk", "-t2", $"-c{Connections}", $"-d{Seconds}s", "--timeout", "30s", "--latency", "-s", script, subject.Address);
                    var result = WrkResult.Parse(output, before is null ? null : ProcessorTime(subject) - before);
                    Console.Error.WriteLine(FormattableString.Invariant(
                        $"round {round} of {Rounds}: {subject.Name}: {result.PerSecond:F0}/s, p50 {result.P50Ms:F2} ms, p99 {result.P99Ms:F2} ms, {result.CpuMicroseconds:F1} µs of processor each, errors {result.Errors}"));
                    // The first round warms up.
                    if (round > 0) subject.Results.Add(result);
                    await RestAsync(subject, cancellation);
                }
            }
        }
    }

    // wrk leaves when its time is over; what it has asked for is computed to its end all the same, and would be at the
    // cost of whoever comes next.
    private static async Task RestAsync(Subject subject, CancellationToken cancellation)
    {
        if (ProcessorTime(subject) is not { } before) return;
        for (var waited = TimeSpan.Zero; waited < LongestRest; waited += Look)
        {
            await Task.Delay(Look, cancellation);
            var now = ProcessorTime(subject)!.Value;
            if (now - before < Look / 20) return;
            before = now;
        }
    }

    /// <summary>A table in Markdown.</summary>
    /// <param name="title">The head of its first column.</param>
    /// <param name="subjects">Its rows.</param>
    public static string Table(string title, IEnumerable<Subject> subjects) => string.Join('\n', [
        $"| {title} | requests/s | p50 ms | p99 ms | processor µs/request | errors |",
        "|---|---|---|---|---|---|",
        .. subjects.Select(subject =>
            $"| {subject.Name} | {subject.Median(r => r.PerSecond, "F0")} | {subject.Median(r => r.P50Ms, "F2")} | {subject.Median(r => r.P99Ms, "F2")} | {(subject.Processes.Length == 0 ? "–" : subject.Median(r => r.CpuMicroseconds, "F1"))} | {subject.Results.Sum(r => r.Errors)} |"),
    ]);

    private static TimeSpan? ProcessorTime(Subject subject) =>
        subject.Processes.Length == 0 ? null : subject.Processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + process.ProcessorTime);
}
