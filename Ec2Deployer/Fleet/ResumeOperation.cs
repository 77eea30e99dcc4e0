using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Waits until hosts that were started again answer, have found together in their Swarm, and serve the version that they served before.</summary>
/// <param name="access">The way to the hosts.</param>
/// <param name="times">How fast a rollout is.</param>
internal sealed class ResumeOperation(FleetAccess access, StackTimes times)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <inheritdoc cref="IFleetDeployer.WaitForAnswersAsync"/>
    public async Task WaitForAnswersAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        using var step = progress.Begin("waiting for SSH");
        var started = access.Time.GetTimestamp();
        while (true)
        {
            using (var session = await access.OpenAsync(hosts, release, cancellationToken))
            {
                // A key that is refused does not become right by waiting, and who comes next tells what is wrong.
                if (session.Unreachable.Values.All(failure => !failure.IsSilence) || access.Time.GetElapsedTime(started) > Boot)
                {
                    if (session.Unreachable.Count == 0) step.Done($"{hosts.Count} answer");
                    return;
                }

                step.Report(hosts.Count - session.Unreachable.Count, hosts.Count);
            }

            await Task.Delay(Poll, access.Time, cancellationToken);
        }
    }

    /// <inheritdoc cref="IFleetDeployer.ResumeAsync"/>
    public async Task<FleetReport> RunAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken)
    {
        await WaitForAnswersAsync(hosts, release, progress, cancellationToken);
        return await access.LockedAsync(hosts, release, progress, "start", session => RunAsync(session, cancellationToken), cancellationToken);
    }

    private async Task<FleetReport> RunAsync(FleetSession session, CancellationToken cancellationToken)
    {
        session.LeftRunning = "The hosts run and cost money.";
        session.RequireAll();
        var surveys = await HostSurveys.ReadAllAsync(session, cancellationToken);
        var manager = await SwarmAsync(session, surveys, cancellationToken);
        var commands = new RolloutCommands(session.Release.Deployment);
        var store = new ReleaseStore(manager, commands);
        if (await store.ListAsync(cancellationToken) is not [var newest, ..])
            throw new HostFailedException(manager.Host.Name, "no version is kept in the Swarm, so that nothing serves", "Run publish, which deploys one.");
        var serving = await store.ReadAsync(newest, cancellationToken);
        var keys = FleetKeys.Open(session.Release.StateDirectory);
        await ContainersAsync(session, serving, cancellationToken);
        // Where all is well this changes nothing, and looks as closely as after a publish.
        var report = await new ReleaseSwitch(session, manager, commands, keys, times, access.Time).RunAsync(serving, "start", changed: false, cancellationToken);
        return report with { Changed = true, PreviousVersion = null };
    }

    private async Task ContainersAsync(FleetSession session, Release serving, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("waiting for the containers");
        var started = access.Time.GetTimestamp();
        while (access.Time.GetElapsedTime(started) < Deadline)
        {
            var containers = (await FleetContainers.ReadAsync(session, serving, cancellationToken)).Where(FleetContainers.Serves).ToList();
            var healthy = containers.Count(container => container.Health is "healthy");
            step.Report(healthy, containers.Count);
            if (healthy == containers.Count)
            {
                step.Done($"{healthy} healthy");
                return;
            }

            await Task.Delay(Poll, access.Time, cancellationToken);
        }
    }

    private async Task<HostConnection> SwarmAsync(FleetSession session, Dictionary<string, HostSurvey> surveys, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("waiting for the Swarm");
        var started = access.Time.GetTimestamp();
        var isOld = false;
        while (true)
        {
            if (isOld) (surveys, _) = await HostSurveys.TryReadAllAsync(session, cancellationToken);
            isOld = true;
            HostFailedException? failure = null;
            if (HostSurveys.FindManager(session, surveys) is { } manager)
            {
                try
                {
                    var ready = (await SwarmExecutor.NodesAsync(manager, cancellationToken)).Count(node => node.IsReady && surveys.Values.Any(survey => survey.NodeId == node.Id));
                    if (ready == session.Hosts.Count)
                    {
                        step.Done($"{ready} nodes");
                        return manager;
                    }

                    step.Report(ready, session.Hosts.Count);
                }
                catch (HostFailedException e)
                {
                    failure = e;
                }
            }

            if (access.Time.GetElapsedTime(started) > Deadline)
                throw failure ?? new HostFailedException(session.LockHost.Name, $"the Swarm has not formed again within {Deadline.TotalMinutes:0} minutes", "Run publish, which forms or mends it.");
            await Task.Delay(Poll, access.Time, cancellationToken);
        }
    }
}
