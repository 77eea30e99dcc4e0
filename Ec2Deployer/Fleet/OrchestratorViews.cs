using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>What the orchestrators themselves say of their fleet.</summary>
/// <param name="Traffic">The last minute, or null: none tells.</param>
/// <param name="Workers">Each worker's status; empty where none tells.</param>
internal sealed record OrchestratorViews(FleetTraffic? Traffic, IReadOnlyDictionary<string, string> Workers)
{
    // One that is busy for one orchestrator is no less so for the others; what is wrong with it matters more.
    private static readonly string[] ByWeight = ["free", "busy", "draining", "quarantined"];

    /// <summary>Asks each orchestrator that is there. One that does not answer is left out: its container's health says why.</summary>
    /// <param name="session">The hosts.</param>
    /// <param name="containers">Which orchestrators are healthy.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<OrchestratorViews> ReadAsync(FleetSession session, IReadOnlyList<ContainerStatus> containers, CancellationToken cancellationToken)
    {
        // Whoever looks makes no key.
        if (!File.Exists(FleetKeys.AdminKeyIn(session.Release.StateDirectory))) return new(null, new Dictionary<string, string>());
        var key = FleetKeys.Open(session.Release.StateDirectory).AdminKey;
        var healthy = containers.Where(container => container is { Port: 80, Health: "healthy" }).Select(container => container.Host).ToHashSet();
        var told = (await FleetSession.OnEachAsync(session.Connections.Where(connection => healthy.Contains(connection.Host.Name)), async connection =>
        {
            try
            {
                var api = new OrchestratorApi(connection, session.Release.Deployment, key);
                return (Traffic: await api.TrafficAsync(cancellationToken), Workers: await api.WorkersAsync(cancellationToken));
            }
            catch (Exception e) when (e is HttpRequestException or HostFailedException or System.Text.Json.JsonException or InvalidOperationException or KeyNotFoundException)
            {
                return (null, new Dictionary<string, string>());
            }
        })).ToList();
        return new(
            FleetTraffic.Of([.. told.Select(one => one.Traffic).OfType<FleetTraffic>()]),
            told.SelectMany(one => one.Workers).GroupBy(worker => worker.Key, worker => worker.Value)
                .ToDictionary(worker => worker.Key, worker => worker.MaxBy(status => Array.IndexOf(ByWeight, status))!));
    }
}
