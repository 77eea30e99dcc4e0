using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary><c>publish</c>: hosts by EC2, then the release on them.</summary>
/// <param name="deployment">The deployment at EC2.</param>
/// <param name="fleet">What is done on hosts.</param>
internal sealed class PublishOperation(Ec2Deployment deployment, IFleetDeployer fleet)
{
    private const int ConsoleLines = 15;

    /// <summary>Makes everything as the plan shows it, and changes nothing that is so already.</summary>
    /// <param name="plan">The plan, agreed to.</param>
    /// <param name="release">What the hosts are to run.</param>
    /// <param name="before">What there was before.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="DeploymentException">EC2 refused, or a host failed; what was done before it stands.</exception>
    public async Task<FleetReport> RunAsync(
        DeploymentPlan plan, ReleaseOptions release, DeploymentSnapshot before, IProgressSink progress, CancellationToken cancellationToken)
    {
        var provisioned = await deployment.ProvisionAsync(plan, progress, cancellationToken);
        if (provisioned.Plan.Actions.OfType<StartAction>().Any()) await fleet.WaitForAnswersAsync(provisioned.Hosts, release, progress, cancellationToken);
        release = release with { Addresses = [.. provisioned.Plan.Addresses.Select(host => provisioned.Plan.Ids[AddressPlanner.Address(host)])] };
        try
        {
            return await DeployAsync(provisioned, release, before, progress, cancellationToken);
        }
        catch (DeploymentException e) when (e.InnerException is HostFailedException { IsSilence: true } failure
            && provisioned.Hosts.FirstOrDefault(host => host.Name == failure.Host) is { } silent && !cancellationToken.IsCancellationRequested)
        {
            // What the machine says for itself, where nothing else can be asked.
            var console = await deployment.ConsoleAsync(silent.InstanceId, ConsoleLines, cancellationToken);
            if (console.Length == 0) throw;
            throw new DeploymentException(e.Code, $"{e.Message}\nThe last lines of the console of {silent.Name} ({silent.InstanceId}):\n    {console.ReplaceLineEndings("\n    ")}", failure);
        }
    }

    private async Task<FleetReport> DeployAsync(
        Provisioned provisioned, ReleaseOptions release, DeploymentSnapshot before, IProgressSink progress, CancellationToken cancellationToken)
    {
        // A new machine in a dead one's place: the Swarm still waits for the dead one.
        var others = provisioned.Hosts.Where(host => before.Hosts.Any(old => old.InstanceId == host.InstanceId)).ToList();
        if (others.Count > 0)
        {
            foreach (var name in provisioned.Created) await fleet.RemoveHostAsync(others, release, name, progress, cancellationToken);
        }

        var report = await fleet.DeployAsync(provisioned.Hosts, release, progress, cancellationToken);
        await deployment.WithdrawAsync(provisioned.Plan, progress, cancellationToken);
        return report;
    }
}
