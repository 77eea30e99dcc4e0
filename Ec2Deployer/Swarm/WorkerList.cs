using System.Globalization;
using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>Names, ports and addresses of the workers: two on each worker host, named by its number, so that they keep their names whoever else comes and goes.</summary>
internal static class WorkerList
{
    /// <summary>The workers' services and ports.</summary>
    public static readonly (string Service, int Port)[] Places = [("worker-a", 8000), ("worker-b", 8001)];

    /// <summary>The names of a host's workers: <c>worker-3</c> and <c>worker-4</c> on <c>host-2</c>.</summary>
    /// <exception cref="ArgumentException">The host's name has no number.</exception>
    public static IReadOnlyList<(string Name, string Service, int Port)> Of(string host)
    {
        if (!int.TryParse(host.AsSpan(host.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
            throw new ArgumentException($"{host} is no name of a worker host: host-1, host-2, …", nameof(host));
        return [.. Places.Select((place, index) => ($"worker-{(2 * number) - 1 + index}", place.Service, place.Port))];
    }

    /// <summary>The orchestrator's file: name and address of every worker, in the order of their numbers.</summary>
    public static string File(IEnumerable<DeployedHost> hosts) => new JsonObject(
        hosts.Where(host => host.Role is HostRole.Worker)
            .SelectMany(host => Of(host.Name).Select(worker => (worker.Name, Address: $"http://{host.PrivateAddress}:{worker.Port}")))
            .OrderBy(worker => worker.Name.Length).ThenBy(worker => worker.Name, StringComparer.Ordinal)
            .Select(worker => KeyValuePair.Create(worker.Name, (JsonNode?)worker.Address))).ToJsonString() + "\n";
}
