using System.Diagnostics;
using System.Globalization;
using Lab.Bench.Cluster;

namespace Lab.Bench.Peers;

/// <summary>How long the workers of an orchestrator that is killed under load are nobody's.</summary>
internal static class TakeOver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until orchestrators count each other and no more, and have equal shares of all workers.</summary>
    /// <param name="left">Where they listen: those that are not killed.</param>
    /// <param name="workers">How many workers there are.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>How long that took the last of them, by their <c>/metrics</c>.</returns>
    /// <exception cref="InvalidOperationException">It is not so after half a minute.</exception>
    public static async Task<TimeSpan> WaitAsync(IReadOnlyList<int> left, int workers, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        using var client = new HttpClient();
        foreach (var port in left)
        {
            while (!await IsDividedAsync(client, port, left.Count, workers, cancellation))
            {
                if (Stopwatch.GetElapsedTime(started) > Patience) throw new InvalidOperationException($"The orchestrators do not come to be {left.Count} with equal shares.");
                await Task.Delay(Poll, cancellation);
            }
        }

        return Stopwatch.GetElapsedTime(started);
    }

    /// <summary>What was measured, as a sentence in Markdown.</summary>
    /// <param name="times">One for each orchestrator that was killed, at least one.</param>
    /// <param name="answered">What the clients of the others were answered meanwhile.</param>
    /// <param name="errors">What they were not.</param>
    public static string Text(IEnumerable<TimeSpan> times, double answered, long errors)
    {
        var sorted = times.Select(time => time.TotalSeconds).Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"""
            One of the {SharedFleet.Several} killed under load, {sorted.Count} times: the others have its workers after {sorted[sorted.Count / 2]:F2} s [{sorted[0]:F2} – {sorted[^1]:F2}]; of their clients' requests {answered:F0} were answered, {errors} were not.
            """);
    }

    private static async Task<bool> IsDividedAsync(HttpClient client, int port, int orchestrators, int workers, CancellationToken cancellation)
    {
        var metrics = new MetricsText(await client.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/metrics")), cancellation));
        return metrics.Sum("lab_orchestrators") == orchestrators && metrics.Sum("lab_workers_owned") == workers / orchestrators;
    }
}
