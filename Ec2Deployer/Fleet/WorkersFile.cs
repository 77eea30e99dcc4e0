using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The orchestrator's list of workers, on every manager: each of them may be told to run an orchestrator.</summary>
internal static class WorkersFile
{
    /// <summary>Writes it where it differs.</summary>
    /// <param name="session">The hosts that are connected.</param>
    /// <param name="hosts">The hosts whose workers are in it.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Whether it differed anywhere.</returns>
    public static async Task<bool> WriteAsync(FleetSession session, IEnumerable<DeployedHost> hosts, CancellationToken cancellationToken)
    {
        var command = HostCommands.WriteWorkers(WorkerList.File(hosts));
        var answers = await FleetSession.OnEachAsync(session.Connections.Where(connection => connection.Host.Manager || connection.Host.Role is HostRole.Orchestrator),
            connection => connection.RunAsync(command, cancellationToken));
        return answers.Any(answer => answer.Contains("changed", StringComparison.Ordinal));
    }
}
