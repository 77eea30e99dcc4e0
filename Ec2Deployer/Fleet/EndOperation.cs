using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Sets on hosts that run when they end themselves. It takes no lock: who deploys is not disturbed, and an end can be put off meanwhile.</summary>
internal sealed class EndOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.SetEndAsync"/>
    public async Task<IReadOnlyDictionary<string, string>> RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, DateTimeOffset? end, CancellationToken cancellationToken)
    {
        var problems = new Dictionary<string, string>(StringComparer.Ordinal);
        if (hosts.Count == 0) return problems;
        using var session = await access.OpenAsync(hosts, release, cancellationToken);
        foreach (var (name, failure) in session.Unreachable) problems[name] = failure.What;
        await FleetSession.OnEachAsync(session.Connections, async connection =>
        {
            try
            {
                return await connection.RunAsync(HostCommands.SetEnd(end), cancellationToken);
            }
            catch (HostFailedException e)
            {
                lock (problems) problems[connection.Host.Name] = e.What;
                return "";
            }
        });
        return problems;
    }
}
