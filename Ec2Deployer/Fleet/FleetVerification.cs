using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Looks at a deployment as its users will: every container healthy, and an answer from every worker through the orchestrator.</summary>
internal sealed class FleetVerification(FleetSession session, FleetKeys keys, TimeProvider time)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits until all is well.</summary>
    /// <param name="release">The release that should run.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The containers, all healthy.</returns>
    /// <exception cref="HostFailedException">Something is not well in time.</exception>
    public async Task<IReadOnlyList<ContainerStatus>> RunAsync(Release release, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("verifying");
        var started = time.GetTimestamp();
        var containers = await FleetContainers.ReadAsync(session, release, cancellationToken);
        while (containers.FirstOrDefault(container => FleetContainers.Serves(container) && (container.Health is not "healthy" || container.Version != release.Version)) is { } unwell)
        {
            if (time.GetElapsedTime(started) > Deadline)
                throw new HostFailedException(unwell.Host, $"the container {unwell.Name} is {unwell.Health} and not healthy with version {release.Version}", "Look at its log with the command logs.");
            step.Say($"{containers.Count(container => container.Health is "healthy")} of {containers.Count} healthy");
            await Task.Delay(Poll, time, cancellationToken);
            containers = await FleetContainers.ReadAsync(session, release, cancellationToken);
        }

        foreach (var host in session.OrchestratorHosts) await AskEveryWorkerAsync(host, started, step, cancellationToken);
        step.Done($"{containers.Count(FleetContainers.Serves)} containers healthy, every worker answers");
        return containers;
    }

    private async Task AskEveryWorkerAsync(DeployedHost host, long started, IProgressStep step, CancellationToken cancellationToken)
    {
        var api = new OrchestratorApi(session[host], session.Release.Deployment, keys.AdminKey);
        var silent = session.Hosts.Where(one => one.Role is HostRole.Worker)
            .SelectMany(one => WorkerList.Of(one.Name).Select(worker => worker.Name)).ToHashSet(StringComparer.Ordinal);
        while (silent.Count > 0)
        {
            try
            {
                step.Say($"{silent.Count} workers have not answered yet");
                // The worker that has been idle for longest answers: each has its turn.
                silent.ExceptWith(await api.ClassifyAsync("Is everybody there?", silent.Count, cancellationToken));
            }
            catch (HttpRequestException e)
            {
                if (time.GetElapsedTime(started) > Deadline)
                    throw new HostFailedException(host.Name, $"the orchestrator does not classify: {e.Message.TrimEnd('.')}", "Look at its log with the command logs.", inner: e);
                await Task.Delay(Poll, time, cancellationToken);
            }

            if (silent.Count > 0 && time.GetElapsedTime(started) > Deadline)
                throw new HostFailedException(host.Name, $"{string.Join(", ", silent.Order(StringComparer.Ordinal))} never answered through the orchestrator", "Look at their logs with the command logs.");
        }
    }
}
