using System.Globalization;
using Lab.Bench.Cluster;
using Lab.Bench.Dispatch;
using Lab.Bench.Inference;

namespace Lab.Bench.Peers;

/// <summary>One orchestrator and several of them over the same eight real workers, in turn, the clients spread evenly.</summary>
/// <param name="model">The model directory.</param>
/// <param name="worker">Worker.dll.</param>
/// <param name="rounds">Turns for each, after both have been warmed up.</param>
/// <param name="seconds">Length of a turn.</param>
/// <param name="connections">Connections of wrk.</param>
internal sealed class SharedFleet(string model, string worker, int rounds, int seconds, int connections)
{
    /// <summary>So many orchestrators are compared with one.</summary>
    public const int Several = 3;

    private const int FirstPort = 18200;
    private const int FirstOrchestrator = FirstPort + 20;

    // Until those of the turn before are forgotten, and those of this one know each other.
    private static readonly TimeSpan Settles = TimeSpan.FromSeconds(3);

    // A process compiles its hot methods twice more, for seconds of processor time that under load it gets little by little:
    // after half a minute three of them still spent a sixth of two cores on that, one alone a fourteenth.
    private const int FirstWarmUpSeconds = 100;

    // Connections are new in each turn.
    private const int WarmUpSeconds = 2;

    // So that all threads of wrk have as many connections, and each orchestrator as many threads, in both rows.
    private readonly int _connections = Math.Max(1, connections / Several) * Several;

    /// <summary>Starts the workers and runs all turns.</summary>
    /// <param name="directory">For caches, jobs and scripts; exists.</param>
    /// <param name="texts">What is sent, in turn.</param>
    /// <param name="cancellation">Ends the run between two turns.</param>
    /// <returns>Two tables in Markdown.</returns>
    public async Task<string> RunAsync(string directory, IEnumerable<string> texts, CancellationToken cancellation)
    {
        var single = new Row("one orchestrator", [FirstOrchestrator], Path.Combine(directory, "one.lua"));
        var several = new Row($"{Several} orchestrators", [.. Enumerable.Range(FirstOrchestrator + 1, Several)], Path.Combine(directory, "several.lua"));
        var sent = InferencePeers.Script(texts);
        var children = new List<Child>();
        try
        {
            var workers = await new RealWorkers(model, worker, Path.Combine(directory, "cache"), FirstPort, queueLimit: 0).StartAsync(cancellation);
            children.AddRange(workers);
            foreach (var row in (Row[])[single, several])
            {
                await File.WriteAllTextAsync(row.Script, Script(row, sent), cancellation);
                foreach (var port in row.Ports)
                {
                    row.Orchestrators.Add(await StartAsync(port));
                    children.Add(row.Orchestrators[^1]);
                }

                await Task.Delay(Settles, cancellation);
                await LoadAsync(row, FirstWarmUpSeconds);
                row.Pause();
            }

            for (var round = 1; round <= rounds; round++)
            {
                foreach (var row in (Row[])[single, several])
                {
                    var turn = await TurnAsync(row, workers, cancellation);
                    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"round {round} of {rounds}: {row.Name}: {turn.Result.PerSecond:F0}/s, p50 {turn.Result.P50Ms:F1} ms, p99 {turn.Result.P99Ms:F1} ms, errors {turn.Result.Errors}, {turn.BatchSize:F2} texts a dispatch, {100 * turn.Refused:F1} % of the dispatches refused"));
                    row.Turns.Add(turn);
                }
            }

            return $"{Table(single, several)}\n\n{await KillAsync(several, sent, directory, StartAsync, children, cancellation)}";
        }
        finally
        {
            foreach (var child in children) await child.DisposeAsync();
        }

        Task<Child> StartAsync(int port) => ShippedOrchestrator.StartAsync(port, Path.Combine(directory, $"jobs-{Text(port)}.db"), FirstPort, DispatchCommand.WorkerCount);
    }

    // The last one is killed and started again in each round, while the clients go on at the others.
    private async Task<string> KillAsync(Row several, string sent, string directory, Func<int, Task<Child>> startAsync, List<Child> children, CancellationToken cancellation)
    {
        several.Continue();
        var left = new Row("the others", [.. several.Ports.SkipLast(1)], Path.Combine(directory, "left.lua"));
        await File.WriteAllTextAsync(left.Script, Script(left, sent), cancellation);
        var (times, answered, errors) = (new List<TimeSpan>(), 0.0, 0L);
        for (var round = 1; round <= rounds; round++)
        {
            await Task.Delay(Settles, cancellation);
            await TakeOver.WaitAsync(several.Ports, DispatchCommand.WorkerCount, cancellation);
            var load = LoadAsync(left, WarmUpSeconds + seconds);
            await Task.Delay(TimeSpan.FromSeconds(WarmUpSeconds), cancellation);
            children.Remove(several.Orchestrators[^1]);
            await several.Orchestrators[^1].DisposeAsync();
            times.Add(await TakeOver.WaitAsync(left.Ports, DispatchCommand.WorkerCount, cancellation));
            var result = WrkResult.Parse(await load, null);
            answered += result.PerSecond * (WarmUpSeconds + seconds);
            errors += result.Errors;
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {round} of {rounds}: one killed: the others have its workers after {times[^1].TotalSeconds:F2} s, errors {result.Errors}"));
            several.Orchestrators[^1] = await startAsync(several.Ports[^1]);
            children.Add(several.Orchestrators[^1]);
        }

        return TakeOver.Text(times, answered, errors);
    }

    // The orchestrators of the other row stand still meanwhile, and workers have forgotten them.
    private async Task<Turn> TurnAsync(Row row, IReadOnlyList<Child> workers, CancellationToken cancellation)
    {
        row.Continue();
        await Task.Delay(Settles, cancellation);
        await LoadAsync(row, WarmUpSeconds);
        var (before, time) = (await MetricsAsync(row, cancellation), ProcessorTime());
        var result = WrkResult.Parse(await LoadAsync(row, seconds), null);
        var (after, spent) = (await MetricsAsync(row, cancellation), ProcessorTime() - time);
        row.Pause();
        var dispatches = after.Dispatches - before.Dispatches;
        return new(result with { CpuMicroseconds = spent.TotalMicroseconds / (result.PerSecond * seconds) },
            (after.Answered - before.Answered) / (dispatches - (after.Busy - before.Busy)), (after.Busy - before.Busy) / dispatches);

        TimeSpan ProcessorTime() => row.Orchestrators.Concat(workers).Aggregate(TimeSpan.Zero, (sum, child) => sum + child.ProcessorTime);
    }

    private Task<string> LoadAsync(Row row, int length) => Child.RunAsync(
        "wrk", $"-t{Several}", $"-c{_connections}", $"-d{length}s", "--timeout", "30s", "--latency", "-s", row.Script, $"http://127.0.0.1:{Text(row.Ports[0])}/new_request");

    private static async Task<(double Dispatches, double Busy, double Answered)> MetricsAsync(Row row, CancellationToken cancellation)
    {
        using var client = new HttpClient();
        var (dispatches, busy, answered) = (0.0, 0.0, 0.0);
        foreach (var port in row.Ports)
        {
            var metrics = new MetricsText(await client.GetStringAsync(new Uri($"http://127.0.0.1:{Text(port)}/metrics"), cancellation));
            dispatches += metrics.Sum("lab_dispatches_total");
            busy += metrics.Sum("lab_dispatches_total", "result=\"busy\"");
            answered += metrics.Sum("lab_requests_total", "outcome=\"answered\"");
        }

        return (dispatches, busy, answered);
    }

    // A thread of wrk for each orchestrator; the same threads where there is one.
    private static string Script(Row row, string sent) => $$"""
        local ports = { {{string.Join(", ", row.Ports.Select(port => $"\"{Text(port)}\""))}} }
        local thread_count = 0
        function setup(thread)
          thread_count = thread_count + 1
          thread.addr = wrk.lookup("127.0.0.1", ports[(thread_count - 1) % #ports + 1])[1]
        end
        {{sent}}
        """;

    private string Table(Row single, Row several) => string.Join('\n', [
        $"| before {DispatchCommand.WorkerCount} real workers, {_connections} connections | requests/s | p50 ms | p99 ms | processor µs/request | texts a dispatch | dispatches refused | errors |",
        "|---|---|---|---|---|---|---|---|",
        .. ((Row[])[single, several]).Select(row =>
            $"| {row.Name} | {row.Median(t => t.Result.PerSecond, "F0")} | {row.Median(t => t.Result.P50Ms, "F1")} | {row.Median(t => t.Result.P99Ms, "F1")} | {row.Median(t => t.Result.CpuMicroseconds, "F0")} | {row.Median(t => t.BatchSize, "F2")} | {row.Median(t => 100 * t.Refused, "F1")} % | {row.Turns.Sum(t => t.Result.Errors)} |"),
        "",
        $"| {Several} ÷ 1, turn by turn | requests/s | p50 | p99 |",
        "|---|---|---|---|",
        $"| | {Ratio(single, several, r => r.PerSecond)} | {Ratio(single, several, r => r.P50Ms)} | {Ratio(single, several, r => r.P99Ms)} |",
    ]);

    private static string Ratio(Row single, Row several, Func<WrkResult, double> value) =>
        Median(several.Turns.Zip(single.Turns, (many, one) => value(many.Result) / value(one.Result)), "F2");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Median(IEnumerable<double> values, string format)
    {
        var sorted = values.Order().ToList();
        return $"{Number(sorted[sorted.Count / 2])} [{Number(sorted[0])} – {Number(sorted[^1])}]";

        string Number(double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>Orchestrators, and what was measured with them.</summary>
    private sealed record Row(string Name, IReadOnlyList<int> Ports, string Script)
    {
        public List<Child> Orchestrators { get; } = [];

        public List<Turn> Turns { get; } = [];

        public void Pause() => Orchestrators.ForEach(child => child.Pause());

        public void Continue() => Orchestrators.ForEach(child => child.Continue());

        public string Median(Func<Turn, double> value, string format) => SharedFleet.Median(Turns.Select(value), format);
    }

    /// <summary>What a turn came to.</summary>
    /// <param name="Result">What wrk measured.</param>
    /// <param name="BatchSize">Texts in a dispatch that was answered.</param>
    /// <param name="Refused">The share of dispatches that met a busy worker.</param>
    private sealed record Turn(WrkResult Result, double BatchSize, double Refused);
}
