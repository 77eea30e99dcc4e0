using System.Diagnostics;
using System.Globalization;
using Lab.Bench.Dispatch;

namespace Lab.Bench.Inference;

/// <summary>Eight worker processes of one model and one cache: how long until they are ready, and what memory they share.</summary>
/// <param name="model">The model directory.</param>
/// <param name="worker">Worker.dll.</param>
/// <param name="cache">The directory of compiled models, empty at first.</param>
/// <param name="firstPort">The first of as many ports.</param>
/// <param name="queueLimit">How many requests each lets wait: many, where a plain proxy stands before them.</param>
internal sealed class RealWorkers(string model, string worker, string cache, int firstPort, int queueLimit = 64)
{
    private const int WorkersPerHost = 2;

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(120);

    // Dated by the second on some file systems, a file is only believed to be unchanged when it is some seconds old.
    private static readonly TimeSpan CacheSettles = TimeSpan.FromSeconds(4);

    /// <summary>Starts one with an empty cache, then one alone, a host's two at once and eight at once with a warm one, in turn, and prints the times.</summary>
    /// <param name="rounds">How often; the lines show medians.</param>
    /// <param name="cancellation">Ends the measurement.</param>
    public async Task MeasureAsync(int rounds, CancellationToken cancellation)
    {
        var cold = await RoundAsync(1, cancellation);
        await Task.Delay(CacheSettles, cancellation);
        await RoundAsync(1, cancellation);
        var alone = new List<double>();
        var pair = new List<double>();
        var together = new List<double>();
        var last = new List<double>();
        var memory = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            alone.AddRange((await RoundAsync(1, cancellation)).Seconds);
            pair.AddRange((await RoundAsync(WorkersPerHost, cancellation)).Seconds);
            var eight = await RoundAsync(DispatchCommand.WorkerCount, cancellation);
            together.AddRange(eight.Seconds);
            last.Add(eight.Seconds.Max());
            memory.Add(eight.Megabytes);
        }

        Print($"Ready with an empty cache: {cold.Seconds[0]:F2} s; with a warm one, {rounds} times each, medians (least–most):");
        Print($"  one alone {Median(alone, "F2")} s; each of a host's two at once {Median(pair, "F2")} s; each of eight started at once {Median(together, "F2")} s, the last of them {Median(last, "F2")} s");
        Print($"  memory of all eight (sum of PSS) {Median(memory, "F0")} MB when ready");
    }

    /// <summary>Starts eight at once and waits until all are ready.</summary>
    public async Task<IReadOnlyList<Child>> StartAsync(CancellationToken cancellation) =>
        [.. (await StartAsync(DispatchCommand.WorkerCount, cancellation)).Select(one => one.Worker)];

    /// <summary>Memory of processes in megabytes: each page counted in shares among those who have it.</summary>
    public static long PssMegabytes(IEnumerable<Child> processes) => processes.Sum(process => Pss(process.Id)) / 1024;

    private async Task<(IReadOnlyList<double> Seconds, double Megabytes)> RoundAsync(int count, CancellationToken cancellation)
    {
        var started = await StartAsync(count, cancellation);
        var megabytes = PssMegabytes(started.Select(one => one.Worker));
        foreach (var (child, _) in started) await child.DisposeAsync();
        return ([.. started.Select(one => one.Ready.TotalSeconds)], megabytes);
    }

    private async Task<(Child Worker, TimeSpan Ready)[]> StartAsync(int count, CancellationToken cancellation)
    {
        using var client = new HttpClient();
        return await Task.WhenAll(Enumerable.Range(0, count).Select(i => StartOneAsync(client, firstPort + i, cancellation)));
    }

    private async Task<(Child Worker, TimeSpan Ready)> StartOneAsync(HttpClient client, int port, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var child = await Child.StartAsync("dotnet", [worker, $"--urls=http://localhost:{port}"], port, new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["Worker__ModelDirectory"] = model,
            ["Worker__CacheDirectory"] = cache,
            ["Worker__QueueLimit"] = queueLimit.ToString(CultureInfo.InvariantCulture),
            ["ORT_DISABLE_TELEMETRY"] = "1",
            ["DOTNET_GCgen0size"] = "0x200000",
        });
        while (true)
        {
            using (var answer = await client.GetAsync(new Uri($"http://localhost:{port}/health"), cancellation))
                if (answer.IsSuccessStatusCode) return (child, Stopwatch.GetElapsedTime(started));
            if (Stopwatch.GetElapsedTime(started) > ReadyTimeout) throw new TimeoutException($"The worker on {port} is not ready after {ReadyTimeout}.");
            await Task.Delay(10, cancellation);
        }
    }

    private static string Median(List<double> values, string format)
    {
        var sorted = values.Order().ToList();
        return $"{Text(sorted[sorted.Count / 2])} ({Text(sorted[0])}–{Text(sorted[^1])})";

        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static long Pss(int process) =>
        File.ReadLines($"/proc/{process}/smaps_rollup").Where(line => line.StartsWith("Pss:", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture));
}
