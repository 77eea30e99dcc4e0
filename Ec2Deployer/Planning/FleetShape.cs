using System.Globalization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>Which hosts there are, what they are called, and which container runs where. Pure.</summary>
internal static class FleetShape
{
    /// <summary>The first host's name.</summary>
    public const string OrchestratorHost = "orchestrator";

    /// <summary>The port of the first worker on a host; the second has the next.</summary>
    public const int FirstWorkerPort = 8000;

    /// <summary>Where orchestrators take requests.</summary>
    public const int HttpsPort = 443;

    /// <summary>The name of the container of Aspire's dashboard.</summary>
    public const string Dashboard = "dashboard";

    /// <summary>Where Aspire's dashboard shows its pages, on its host's loopback alone.</summary>
    public const int DashboardPort = 18888;

    /// <summary>Where Aspire's dashboard takes telemetry: OTLP's port for gRPC.</summary>
    public const int TelemetryPort = 4317;

    /// <summary>How many workers a host runs.</summary>
    public const int WorkersPerHost = 2;

    /// <summary>How many worker hosts, the first ones, are managers where there are as many.</summary>
    public const int ManagingWorkerHosts = 2;

    /// <summary>How many orchestrators there are where there are several: one on each manager.</summary>
    public const int SeveralOrchestrators = 1 + ManagingWorkerHosts;

    /// <summary>A worker host's name.</summary>
    /// <param name="number">From 1.</param>
    public static string WorkerHost(int number) => string.Create(CultureInfo.InvariantCulture, $"host-{number}");

    /// <summary>The number in a worker host's name, or null where it is none.</summary>
    public static int? WorkerHostNumber(string name) =>
        name.StartsWith("host-", StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number > 0 && name == WorkerHost(number) ? number : null;

    /// <summary>All hosts' names, the orchestrator's first.</summary>
    public static IReadOnlyList<string> Hosts(int workerHosts) =>
        [OrchestratorHost, .. Enumerable.Range(1, workerHosts).Select(WorkerHost)];

    /// <summary>Whether a host is a manager: the orchestrator's and two worker hosts, or the orchestrator's alone where there are fewer than three hosts.</summary>
    public static bool IsManager(string host, int workerHosts) =>
        host == OrchestratorHost || (workerHosts >= ManagingWorkerHosts && WorkerHostNumber(host) <= ManagingWorkerHosts);

    /// <summary>
    /// Whether a host is asked for on spot. The two worker hosts that are managers, or become so when there is a second one,
    /// never are: what EC2 takes back must not be the Swarm's majority, nor the last of the workers.
    /// </summary>
    public static bool IsSpot(string host, DeploymentOptions options) => options.Spot && WorkerHostNumber(host) > ManagingWorkerHosts;

    /// <summary>Whether an orchestrator runs on a host: on the first, and where three are asked for on every manager.</summary>
    public static bool IsFront(string host, DeploymentOptions options) =>
        host == OrchestratorHost || (options.Orchestrators > 1 && IsManager(host, options.Hosts));

    /// <summary>All containers, the orchestrators first and the dashboard last. Worker 1 and 2 run on host-1, 3 and 4 on host-2, and so on.</summary>
    public static IReadOnlyList<PlannedContainer> Containers(DeploymentOptions options)
    {
        var containers = Hosts(options.Hosts)
            .Where(host => IsFront(host, options))
            .Select((host, index) => new PlannedContainer(
                index == 0 ? "orchestrator" : string.Create(CultureInfo.InvariantCulture, $"orchestrator-{index + 1}"), host, 80, HttpsPort))
            .ToList();
        for (var number = 1; number <= options.Hosts * WorkersPerHost; number++)
        {
            containers.Add(new PlannedContainer(
                string.Create(CultureInfo.InvariantCulture, $"worker-{number}"),
                WorkerHost((number + 1) / WorkersPerHost),
                FirstWorkerPort + (number + 1) % WorkersPerHost));
        }

        if (options.Dashboard) containers.Add(new PlannedContainer(Dashboard, OrchestratorHost, DashboardPort));
        return containers;
    }
}
