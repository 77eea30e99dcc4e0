using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.Orchestrator.Tests.Workers.Hostile;

/// <summary>What playing a part has come to.</summary>
/// <param name="Faults">What should not have happened.</param>
/// <param name="Summary">One line for whoever reads the tests' output.</param>
internal sealed record Report(IReadOnlyList<string> Faults, string Summary);

/// <summary>
/// Plays parts before orchestrators of their own, next to honest workers that all of them share. Whoever asks for a part
/// has the next ones begin as well, for most of a part is waiting.
/// </summary>
public sealed class HostileLab : IAsyncLifetime
{
    /// <summary>The hostile worker's name.</summary>
    internal const string Name = "hostile";

    private const int HonestWorkers = 3;
    private const int Ahead = 3;
    private const int Texts = 200;
    private const int MaxSaid = 600;

    internal const int MaxBatch = 8;

    internal static readonly TimeSpan DispatchTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LoadLimit = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan CatchLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, Lazy<Task<Report>>> _reports = new();
    private List<StubWorker> _honest = [];

    internal static IReadOnlyList<Part> Parts { get; } = [.. AnswerParts.All, .. FramingParts.All, .. ConnectionParts.All];

    /// <summary>How long 99 of 100 answers take without a hostile worker, in milliseconds, by the largest batch.</summary>
    internal Dictionary<int, double> QuietP99 { get; } = [];

    /// <summary>The settings that name the honest workers.</summary>
    internal IEnumerable<string> HonestSettings => _honest.Select((worker, i) => $"--Workers:honest-{i + 1}={worker.Address}");

    public async ValueTask InitializeAsync()
    {
        _honest = [.. await Task.WhenAll(Enumerable.Range(0, HonestWorkers).Select(_ => Honest.StartAsync()))];
        foreach (var maxBatch in (int[])[1, MaxBatch])
        {
            await using var lab = await StartAsync(maxBatch, []);
            // What is compiled on its first use is not counted.
            await new Load(lab.Client, "warm").RunAsync(Texts, () => true, LoadLimit);
            var quiet = new Load(lab.Client, "quiet");
            await quiet.RunAsync(Texts, () => true, LoadLimit);
            Assert.Empty(quiet.Faults);
            QuietP99[maxBatch] = quiet.OthersP99;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Whoever has asked for a part hears of its failure.
        await Task.WhenAll(_reports.Values.Select(report => (Task)report.Value)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var worker in _honest) await worker.DisposeAsync();
    }

    /// <summary>What becomes of a part.</summary>
    internal Task<Report> PlayAsync(string name)
    {
        var first = Parts.Index().First(part => part.Item.Name == name).Index;
        foreach (var part in Parts.Skip(first).Take(Ahead)) _ = _reports.GetOrAdd(part.Name, _ => new(() => BothAsync(part))).Value;
        return _reports[name].Value;
    }

    /// <summary>Starts an orchestrator in this process before the honest workers and others.</summary>
    internal Task<RunningOrchestrator> StartAsync(int maxBatch, IEnumerable<string> settings) => RunningOrchestrator.StartAsync(0, [.. Settings(maxBatch), .. settings]);

    /// <summary>The settings of an orchestrator before the honest workers, whose spans are so short that much happens.</summary>
    internal IEnumerable<string> Settings(int maxBatch) =>
    [
        .. HonestSettings,
        string.Create(CultureInfo.InvariantCulture, $"--Orchestrator:MaxBatch={maxBatch}"),
        $"--Orchestrator:DispatchTimeout={DispatchTimeout:c}", $"--Orchestrator:Deadline={Deadline:c}",
        "--Orchestrator:ProbeTimeout=00:00:01", "--Orchestrator:QuarantineMin=00:00:00.05", "--Orchestrator:QuarantineMax=00:00:00.3",
    ];

    private async Task<Report> BothAsync(Part part)
    {
        var started = Stopwatch.GetTimestamp();
        int[] batches = part.InBatches ? [MaxBatch] : [1, MaxBatch];
        var reports = await Task.WhenAll(batches.Select(maxBatch => PlayAsync(part, maxBatch)));
        return new(
            [.. reports.SelectMany(report => report.Faults)],
            string.Create(CultureInfo.InvariantCulture, $"{part.Name} ({Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s)\n{string.Join('\n', reports.Select(report => report.Summary))}"));
    }

    private async Task<Report> PlayAsync(Part part, int maxBatch)
    {
        await using var stalls = new StallWatch();
        await using var hostile = new HostileServer(part);
        await using var lab = await StartAsync(maxBatch, [$"--Workers:{Name}={hostile.Address}"]);
        var end = part.End;
        await lab.UntilAsync(table => table.All(worker => worker.Value.Status != "quarantined" || (worker.Key == Name && end is End.NeverTrusted)));
        if (end is End.NeverTrusted) await lab.UntilLoggedAsync($"{Name} stays quarantined");

        var load = new Load(lab.Client, part.Name);
        await load.RunAsync(Texts, () => hostile.Acts >= part.Times, LoadLimit);
        // Where an answer was wrong that is what there is to tell.
        if (end is End.Quarantined && load.Faults.IsEmpty) await lab.UntilLoggedAsync($"{Name} is quarantined", CatchLimit);
        var snapshot = await lab.Services.GetRequiredService<Dispatcher>().TakeSnapshotAsync(0, TestContext.Current.CancellationToken);
        var worker = snapshot.Workers.Single(one => one.Name == Name);
        var reasons = lab.Logged.Where(message => message.Contains($"{Name} is quarantined", StringComparison.Ordinal) || message.Contains($"{Name} stays", StringComparison.Ordinal));

        var faults = Judge(end, hostile, lab, load, worker, stalls.Longest).Select(fault => $"MaxBatch={maxBatch}: {fault}").ToList();
        return new(faults, string.Create(CultureInfo.InvariantCulture,
            $"  MaxBatch={maxBatch}: {load.Texts} texts, {hostile.Acts} acts, {worker.Completed} answered and {worker.Failed} failed by it, others' p99 {load.OthersP99:F0} ms (quiet {QuietP99[maxBatch]:F0}), longest {load.Longest:F0} ms; {Shorten(reasons.LastOrDefault() ?? "trusted")}"));
    }

    private static IEnumerable<string> Judge(End end, HostileServer hostile, RunningOrchestrator lab, Load load, WorkerSnapshot worker, TimeSpan stall)
    {
        foreach (var fault in load.Faults) yield return fault;
        if (hostile.Acts == 0 && load.MaxAttempts > 0 && end is not End.Harmless) yield return "the part was never played";
        // A slow machine is no fault; a client that waits for a worker's timeout twice is.
        if (load.Longest > Deadline.TotalMilliseconds) yield return $"a client waited for {load.Longest:F0} ms";
        if (end is End.NeverTrusted && (worker.Status != "quarantined" || worker.Completed + worker.Failed > 0)) yield return $"it is {worker.Status} and has had work";
        // Where this process itself stood still, nobody could answer in time.
        var stood = stall > DispatchTimeout / 3;
        if (end is End.Harmless && !stood && (worker.Failed > 0 || worker.LastError is not null)) yield return $"it was punished: {worker.LastError}";
        if (end is End.Harmless && !stood && load.MaxAttempts > 1) yield return $"{load.MaxAttempts} attempts";
        if (Logged("Worker honest-", " is quarantined") is { } punished && !stood) yield return punished;
        foreach (var said in lab.Logged.Append(worker.LastError ?? "").Where(said => said.Contains(Name, StringComparison.Ordinal) || said == worker.LastError))
            if (said.Length > MaxSaid || !IsPlain(said)) yield return $"it is told as it is: {Shorten(said)}";

        string? Logged(string one, string other) => lab.Logged.FirstOrDefault(said =>
            said.Contains(one, StringComparison.Ordinal) && said.Contains(other, StringComparison.Ordinal));
    }

    // Neither what moves a terminal's cursor, nor what turns the direction of writing, nor half of a character.
    private static bool IsPlain(string said) => said.EnumerateRunes().All(rune => rune.Value is not (0xFFFD or 0x202E)
        && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    private static string Shorten(string said) => new([.. said.Take(300).Select(one => char.IsControl(one) ? '¿' : one)]);
}
