using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>start</c>: hosts that were stopped run again, and what they ran before.</summary>
/// <param name="deployment">The deployment at EC2.</param>
/// <param name="fleet">What is done on hosts.</param>
internal sealed class StartOperation(Ec2Deployment deployment, IFleetDeployer fleet)
{
    /// <summary>Starts them and waits until all is well.</summary>
    /// <exception cref="DeploymentException">EC2 refused, or the hosts are not well in time; those that run stay so.</exception>
    public async Task<FleetReport> RunAsync(DeploymentOptions options, ReleaseOptions release, DeploymentSnapshot found, IProgressSink progress, CancellationToken cancellationToken)
    {
        await deployment.Life.StartAsync(options, found.Instances, progress, cancellationToken);
        // Public addresses are others now, those of EC2's pool.
        var running = await deployment.PinAsync(options, await deployment.FindAsync(options, cancellationToken), progress, cancellationToken);
        if (running.Hosts.All(host => host.Role is not HostRole.Orchestrator))
            throw new DeploymentException(ExitCode.HostFailed, $"The orchestrator's host of '{options.Name}' is gone; the other hosts run and cost money. 'publish' puts another in its place.");
        return await fleet.ResumeAsync(running.Hosts, release, progress, cancellationToken);
    }
}
