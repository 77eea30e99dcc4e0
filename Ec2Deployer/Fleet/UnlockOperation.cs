using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>unlock</c>: breaks the lock that a deployer left behind.</summary>
internal sealed class UnlockOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.UnlockAsync"/>
    public async Task<FleetLock?> RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken)
    {
        using var session = await access.OpenAsync(hosts, release, cancellationToken);
        try
        {
            return LockCommands.Read(await session[session.LockHost].RunAsync(LockCommands.Break, cancellationToken));
        }
        catch (HostFailedException e)
        {
            throw FleetFailure.Told(e, session);
        }
    }
}
