namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>What every page shows for a second. Made once for all of them, and what nobody looks at is not made at all.</summary>
public sealed class ClusterState(
    IReadOnlyList<HostView> hosts, int workerCount, IReadOnlyList<RequestView> requests, int queued, Sample[] samples)
{
    private readonly Lazy<ChartSet> _charts = new(() => ChartSet.Of(samples));

    /// <summary>Before the first snapshot.</summary>
    public static ClusterState Empty { get; } = new([], 0, [], 0, []);

    /// <summary>The machines by name.</summary>
    public IReadOnlyList<HostView> Hosts { get; } = hosts;

    /// <summary>How many workers there are, shown or not.</summary>
    public int WorkerCount { get; } = workerCount;

    /// <summary>The last requests, the newest first; the same list as before if there is no newer one.</summary>
    public IReadOnlyList<RequestView> Requests { get; } = requests;

    /// <summary>Requests waiting.</summary>
    public int Queued { get; } = queued;

    /// <summary>The last second; all zero at the start.</summary>
    public Sample Now { get; } = samples.Length == 0 ? default : samples[^1];

    /// <summary>The charts, drawn when first asked for.</summary>
    public ChartSet Charts => _charts.Value;

    /// <summary>The workers of all machines.</summary>
    public IEnumerable<WorkerView> Workers => Hosts.SelectMany(host => host.Workers);
}
