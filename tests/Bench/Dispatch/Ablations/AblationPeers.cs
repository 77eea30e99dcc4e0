using System.Globalization;
using System.Reflection;
using Lab.Bench.Peers;
using Lab.Orchestrator;

namespace Lab.Bench.Dispatch.Ablations;

/// <summary>The orchestrator with and without each piece of its own code, before the same stub workers, taking turns.</summary>
internal static class AblationPeers
{
    private const int FirstPort = 18300;

    // The second one is there to show how far apart two of the same are.
    private static readonly (string Name, Ablation Ablation)[] Variants =
    [
        ("as it is", Ablation.None),
        ("as it is, again", Ablation.None),
        ("HttpMessageInvoker for the calls to workers", Ablation.Invoker),
        ("serializer for workers' answers", Ablation.ReadBySerializer),
        ("ordinary authentication and rate limiter", Ablation.OrdinaryAccess),
        ("all of these", Ablation.All),
    ];

    /// <summary>Starts all of them.</summary>
    /// <param name="directory">For their jobs; exists.</param>
    /// <param name="children">Takes every process that was started, for the caller to end, also when this throws.</param>
    public static async Task<IReadOnlyList<Subject>> StartAsync(string directory, List<Child> children)
    {
        var self = Assembly.GetExecutingAssembly().Location;
        children.Add(await Child.StartAsync("dotnet", [self, "stub-workers", "--port", Text(FirstPort), "--count", Text(DispatchPeers.WorkerCount)], FirstPort));
        var subjects = new List<Subject>();
        foreach (var (name, ablation) in Variants)
        {
            var port = FirstPort + 20 + subjects.Count;
            // The orchestrator's own runtime settings, not this program's.
            var orchestrator = await ShippedOrchestrator.StartAsync(
                ["exec", "--runtimeconfig", Path.ChangeExtension(typeof(OrchestratorOptions).Assembly.Location, ".runtimeconfig.json"), self, "ablated-orchestrator", "--without", ablation.ToString().Replace(" ", "", StringComparison.Ordinal)],
                port, Path.Combine(directory, $"jobs-{port}.db"), FirstPort, DispatchPeers.WorkerCount,
                [.. DispatchPeers.Access, ("Orchestrator__MaxBatch", "1"), ("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1")]);
            children.Add(orchestrator);
            subjects.Add(new(name, $"http://127.0.0.1:{Text(port)}{AblatedOrchestrator.Path}", orchestrator));
        }

        return subjects;
    }

    /// <summary>A table in Markdown: each beside the first, as the median of the turns' ratios.</summary>
    public static string Table(IReadOnlyList<Subject> subjects) => string.Join('\n', [
        "| in the place of its own code | requests/s | to as it is | processor µs/request | to as it is | errors |",
        "|---|---|---|---|---|---|",
        .. subjects.Select(subject =>
            $"| {subject.Name} | {subject.Median(r => r.PerSecond, "F0")} | {Ratio(subject, subjects[0], r => r.PerSecond)} | {subject.Median(r => r.CpuMicroseconds, "F1")} | {Ratio(subject, subjects[0], r => r.CpuMicroseconds)} | {subject.Results.Sum(r => r.Errors)} |"),
    ]);

    private static string Ratio(Subject subject, Subject reference, Func<WrkResult, double> value)
    {
        var ratios = subject.Results.Zip(reference.Results, (mine, its) => value(mine) / value(its)).Order().ToList();
        return string.Create(CultureInfo.InvariantCulture, $"{Percent(ratios[ratios.Count / 2])} [{Percent(ratios[0])} – {Percent(ratios[^1])}]");

        static string Percent(double ratio) => ((ratio - 1) * 100).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " %";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
