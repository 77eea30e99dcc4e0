using System.Globalization;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Which containers the hosts should run, and what has become of each.</summary>
internal static class FleetContainers
{
    /// <summary>The containers that should run: the orchestrators, then the workers by number, then the dashboard.</summary>
    /// <param name="hosts">The hosts.</param>
    /// <param name="release">What was asked for.</param>
    /// <param name="orchestratorOnEachManager">Whether what serves has an orchestrator on each manager.</param>
    public static IReadOnlyList<(string Name, DeployedHost Host, string Service, int Port)> Expected(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, bool orchestratorOnEachManager) =>
    [
        .. hosts.Where(host => host.RunsOrchestrator(orchestratorOnEachManager)).OrderBy(host => host.Role)
            .Select(host => (Name(host), host, "orchestrator", 80)),
        .. hosts.Where(host => host.Role is HostRole.Worker)
            .SelectMany(host => WorkerList.Of(host.Name).Select(worker => (worker.Name, host, worker.Service, worker.Port)))
            .OrderBy(worker => worker.Name.Length).ThenBy(worker => worker.Name, StringComparer.Ordinal),
        .. hosts.Where(host => host.Role is HostRole.Orchestrator && release.Dashboard)
            .Select(host => (FleetShape.Dashboard, host, FleetShape.Dashboard, FleetShape.DashboardPort)),
    ];

    /// <summary>Whether it serves requests: the dashboard, which belongs to no release, does not, and nothing waits for it.</summary>
    public static bool Serves(ContainerStatus container) => container.Name != FleetShape.Dashboard;

    /// <summary>Asks each host that answers for its containers.</summary>
    /// <param name="session">The hosts.</param>
    /// <param name="release">The release that should run, or null where none is known.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<IReadOnlyList<ContainerStatus>> ReadAsync(FleetSession session, Release? release, CancellationToken cancellationToken)
    {
        var found = (await FleetSession.OnEachAsync(session.Connections, async connection =>
        {
            try
            {
                var output = await connection.RunAsync(HostCommands.Containers(session.Release.Deployment), cancellationToken);
                return RunningContainer.Parse(session.Release.Deployment, output).Select(container => (Host: connection.Host.Name, Container: container));
            }
            catch (HostFailedException)
            {
                // A host whose Docker does not answer: its containers are unknown, and its own line says why.
                return [];
            }
        })).SelectMany(one => one).ToList();
        return [.. Expected(session.Hosts, session.Release, (release?.OrchestratorOnEachManager).GetValueOrDefault(session.Release.OrchestratorOnEachManager)).Select(expected =>
        {
            var here = found.Where(one => one.Host == expected.Host.Name && one.Container.Service == expected.Service).Select(one => one.Container).MaxBy(container => container.StartedAt);
            if (here is null) return new ContainerStatus(expected.Name, expected.Host.Name, expected.Port, null, session.Unreachable.ContainsKey(expected.Host.Name) ? "unknown" : "gone", null);
            var version = release is not null && expected.Service != FleetShape.Dashboard && here.Spec == release.Spec(expected.Service) ? release.Version : here.Spec;
            return new ContainerStatus(expected.Name, expected.Host.Name, expected.Port, version, here.Health, here.StartedAt);
        })];
    }

    // By the host's number, so that each keeps its name while another is gone.
    private static string Name(DeployedHost host) =>
        FleetShape.WorkerHostNumber(host.Name) is { } number ? string.Create(CultureInfo.InvariantCulture, $"orchestrator-{number + 1}") : "orchestrator";
}
