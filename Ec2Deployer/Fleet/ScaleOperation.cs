using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The first half of <c>scale</c>: empties the hosts that are to go. The other half is <see cref="PublishOperation"/>, which ends and starts machines.</summary>
/// <param name="fleet">What is done on hosts.</param>
internal sealed class ScaleOperation(IFleetDeployer fleet)
{
    /// <summary>Drains surplus hosts and takes them out of the Swarm, one after the other.</summary>
    /// <param name="before">What there is.</param>
    /// <param name="workerHosts">How many worker hosts there are to be.</param>
    /// <param name="release">How the hosts are reached.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public async Task EmptyAsync(DeploymentSnapshot before, int workerHosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        // The highest numbers go, so that managers, which have the lowest, stay.
        for (var number = before.WorkerHosts; number > workerHosts; number--)
        {
            var name = FleetShape.WorkerHost(number);
            if (before.Hosts.Any(host => host.Name == name)) await fleet.DrainHostAsync(before.Hosts, release, name, progress, cancellationToken);
            if (before.Hosts.Count > 0) await fleet.RemoveHostAsync(before.Hosts, release, name, progress, cancellationToken);
        }
    }
}
