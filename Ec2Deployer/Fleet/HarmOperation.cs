using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>harm</c>: kills, freezes or slows one container on its host, or undoes it.</summary>
internal sealed class HarmOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.HarmAsync"/>
    public async Task RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, HarmRequest request, CancellationToken cancellationToken)
    {
        var wanted = FleetContainers.Expected(hosts, release, orchestratorOnEachManager: true).FirstOrDefault(one => one.Name == request.Container);
        if (wanted.Host is null) throw new DeploymentException(ExitCode.Usage, $"There is no container {request.Container}: worker-1, worker-2, …");
        // Its own host is enough, and sooner reached than all of them.
        using var session = await access.OpenAsync([wanted.Host], release, cancellationToken);
        try
        {
            await session[wanted.Host].RunAsync(HarmCommands.Command(release.Deployment, wanted.Service, request.Kind), cancellationToken);
        }
        catch (HostFailedException e)
        {
            throw FleetFailure.Told(e, session);
        }
    }
}
