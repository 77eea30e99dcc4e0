using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// Puts Aspire's dashboard beside the services that run already, or takes it away. One that does not start is told and no
/// failure: the services answer without it, and a release that is sound is not taken back for the sake of a page about it.
/// </summary>
/// <param name="session">The hosts.</param>
/// <param name="manager">A manager of the Swarm.</param>
/// <param name="time">The clock.</param>
internal sealed class DashboardSwitch(FleetSession session, HostConnection manager, TimeProvider time)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>Makes it so.</summary>
    /// <param name="image">The dashboard's image, or null: there is to be none.</param>
    /// <param name="secrets">The release's secrets.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Whether anything was changed.</returns>
    public async Task<bool> RunAsync(PackedImage? image, IReadOnlyList<FleetSecret> secrets, CancellationToken cancellationToken)
    {
        try
        {
            return image is null ? await RemoveAsync(cancellationToken) : await DeployAsync(image, secrets, cancellationToken);
        }
        catch (HostFailedException e)
        {
            session.Progress.Note($"The dashboard is not as it should be, and the services run without it: {e.Message} 'publish' tries again.");
            return false;
        }
    }

    private async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        if ((await manager.RunAsync(DashboardCommands.Remove(session.Release.Deployment), cancellationToken)).Trim() != DashboardCommands.Removed) return false;
        await session.AuditAsync("dashboard", "removed", cancellationToken);
        session.Progress.Note("The dashboard is removed, and the telemetry that it had.");
        return true;
    }

    private async Task<bool> DeployAsync(PackedImage image, IReadOnlyList<FleetSecret> secrets, CancellationToken cancellationToken)
    {
        var stack = DashboardStack.Build(session.Release.Deployment, image.Reference, session.OrchestratorHost.PrivateAddress, secrets);
        var spec = DashboardStack.Spec(stack);
        if (await FindAsync(cancellationToken) is { Health: "healthy" } running && running.Version == spec) return false;
        using var step = session.Progress.Begin("starting the dashboard");
        await manager.RunAsync(DashboardCommands.Deploy(session.Release.Deployment, stack), cancellationToken);
        var started = time.GetTimestamp();
        while (await FindAsync(cancellationToken) is var found && (found?.Health is not "healthy" || found.Version != spec))
        {
            if (time.GetElapsedTime(started) > Deadline)
            {
                throw new HostFailedException(session.OrchestratorHost.Name, $"the dashboard is {found?.Health ?? "gone"} after {Deadline.TotalSeconds:0} s",
                    $"Look at its log with 'logs --container {FleetShape.Dashboard}'.");
            }

            await Task.Delay(Poll, time, cancellationToken);
        }

        await session.AuditAsync("dashboard", spec, cancellationToken);
        step.Done("'dashboard' opens it");
        return true;
    }

    private async Task<ContainerStatus?> FindAsync(CancellationToken cancellationToken) =>
        (await FleetContainers.ReadAsync(session, release: null, cancellationToken)).FirstOrDefault(container => container.Name == FleetShape.Dashboard);
}
