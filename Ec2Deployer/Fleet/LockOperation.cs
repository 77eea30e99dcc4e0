using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Asks the one host that keeps the lock who holds it.</summary>
internal sealed class LockOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.LockAsync"/>
    public async Task<FleetLock?> RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        using var session = await access.OpenAsync([FleetSession.LockHostOf(hosts)], release, cancellationToken);
        try
        {
            return LockCommands.Read(await session[session.LockHost].RunAsync(LockCommands.Ask, cancellationToken));
        }
        catch (HostFailedException e)
        {
            throw FleetFailure.Told(e, session);
        }
    }
}
