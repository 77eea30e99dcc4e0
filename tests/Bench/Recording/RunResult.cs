using System.Globalization;
using Lab.Bench.Cluster;
using Lab.Bench.Load;
using Lab.Bench.Machine;

namespace Lab.Bench.Recording;

/// <summary>A run with everything that the report says of it.</summary>
internal sealed record RunResult
{
    // Beyond this the generator has no reserve for a moment's crowd.
    private const double BusyGenerator = 0.7;

    private const double BusyMachine = 0.95;

    // Within a shorter one twenty requests at once are all that any machine does.
    private const double LongRunSeconds = 1;

    private const double LateMs = 5;

    /// <summary>The orchestrator.</summary>
    public required Uri Orchestrator { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When requests were sent.</summary>
    public required LoadPlan Plan { get; init; }

    /// <summary>Which texts.</summary>
    public required string Texts { get; init; }

    /// <summary>How many requests went before, to warm up, and count nowhere.</summary>
    public required int Warmup { get; init; }

    /// <summary>The model, where the orchestrator says.</summary>
    public required string? Model { get; init; }

    /// <summary>Workers that got work, by status <c>free</c> or <c>busy</c>, when the run began.</summary>
    public required int WorkersAlive { get; init; }

    /// <summary>All workers that the orchestrator knows.</summary>
    public required int WorkersKnown { get; init; }

    /// <summary>What the requests have shown.</summary>
    public required Measured Recording { get; init; }

    /// <summary>What the orchestrator itself counted meanwhile; <c>null</c> where it tells nothing.</summary>
    public required OwnCount? OwnCount { get; init; }

    /// <summary>The generator's share of all cores, 0 to 1.</summary>
    public required double GeneratorShare { get; init; }

    /// <summary>All processes' share of all cores of the generator's machine, 0 to 1.</summary>
    public required double? MachineShare { get; init; }

    /// <summary>The generator's machine.</summary>
    public required MachineDescription Machine { get; init; }

    /// <summary>An answer as it came.</summary>
    public required string? SampleAnswer { get; init; }

    /// <summary>Whether the user ended the run early.</summary>
    public required bool Interrupted { get; init; }

    /// <summary>Whether the cluster is on the generator's machine.</summary>
    public bool IsLocal => Orchestrator.IsLoopback;

    /// <summary>Whether the orchestrator counted what we counted: as many answers. <c>null</c> where it tells nothing.</summary>
    public bool? CountsAgree => OwnCount is null ? null : OwnCount.Answered == Recording.Answered + Recording.Wrong;

    /// <summary>What the reader must know before he believes the numbers.</summary>
    public IReadOnlyList<string> Warnings()
    {
        var warnings = new List<string>();
        var recording = Recording;
        if (GeneratorShare > BusyGenerator)
            warnings.Add(Text($"The generator was the bottleneck: it took {GeneratorShare * 100:0} % of this machine's processors. The cluster may be faster than these numbers."));
        else if (IsLocal && MachineShare > BusyMachine && recording.Seconds >= LongRunSeconds)
            warnings.Add(Text($"This machine's processors were {MachineShare * 100:0} % busy, with the cluster, the generator and whatever else ran on it: latencies include the wait for a processor."));
        if (Plan is OpenPlan && recording.Lateness.P99 > LateMs)
            warnings.Add(Text($"The generator could not keep its schedule: 1 % of the requests left {recording.Lateness.P99:0.#} ms late or more, which is in their latency."));
        if (recording.NotSent > 0)
            warnings.Add(Text($"{recording.NotSent} requests of the schedule were not sent, since {((OpenPlan)Plan).MaxOutstanding} waited for their answers already. Their latency is in no percentile: the true ones are worse."));
        if (recording.RefusedCount + recording.Lost > 0)
            warnings.Add(Text($"{recording.RefusedCount + recording.Lost} requests have no answer, and so are in no percentile."));
        if (CountsAgree is false)
            warnings.Add(Text($"The orchestrator counted {OwnCount!.Answered:0} answers where this run counted {recording.Answered + recording.Wrong}: somebody else used it meanwhile, or it was started anew."));
        if (recording.Samples.Count < recording.Answered)
            warnings.Add(Text($"The pictures over time show {recording.Samples.Count} of {recording.Answered} requests, chosen by lot; tables and percentiles have all."));
        if (Machine.Build == "Debug")
            warnings.Add("The generator was built for debugging; 'dotnet run -c Release' measures better.");
        if (Interrupted)
            warnings.Add("The run was interrupted: what was measured until then is here.");
        return warnings;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
