using Lab.Bench.Recording;

namespace Lab.Bench.Reporting;

/// <summary>What a report tells.</summary>
/// <param name="Command">The command line that made it.</param>
/// <param name="Run">The run.</param>
/// <param name="Burst">What happened when more came at once than there are workers, where the run itself never had a queue.</param>
/// <param name="Scale">The same load on more and more workers.</param>
/// <param name="Faults">What was done to workers meanwhile.</param>
/// <param name="Soak">What memory the cluster's processes took meanwhile.</param>
internal sealed record Report(string Command, RunResult Run, RunResult? Burst = null, ScaleResult? Scale = null, FaultsResult? Faults = null, SoakResult? Soak = null)
{
    /// <summary>What it is about.</summary>
    public string Title =>
        Scale is { } scale ? $"The same load on {string.Join(", ", scale.Points.SkipLast(1).Select(point => point.Workers))} and {scale.Points[^1].Workers} workers"
        : Faults is not null ? $"Harmed workers: {Run.Plan.Describe()}"
        : Soak is not null ? $"Memory: {Run.Plan.Describe()}"
        : char.ToUpperInvariant(Run.Plan.Describe()[0]) + Run.Plan.Describe()[1..];
}
