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

        await AskEveryWorkerAsync([.. session.OrchestratorHosts(release.OrchestratorOnEachManager)], started, step, cancellationToken);
        step.Done($"{containers.Count(FleetContainers.Serves)} containers healthy, every worker answers");
        return containers;
    }

    // Several orchestrators have workers of their own each, and leave the others' alone while they can: each must know all
    // workers to be well, and have a text classified; and each worker must answer through one of them.
    private async Task AskEveryWorkerAsync(IReadOnlyList<DeployedHost> orchestrators, long started, IProgressStep step, CancellationToken cancellationToken)
    {
        var workers = session.Hosts.Where(one => one.Role is HostRole.Worker).SelectMany(one => WorkerList.Of(one.Name).Select(worker => worker.Name)).ToList();
        var silent = workers.ToHashSet(StringComparer.Ordinal);
        var unasked = orchestrators.ToList();
        for (var turn = 0; silent.Count > 0 || unasked.Count > 0; turn++)
        {
            var host = unasked.Count > 0 ? unasked[0] : orchestrators[turn % orchestrators.Count];
            var problem = await AskAsync(host, workers, silent, step, cancellationToken);
            if (problem is null) unasked.Remove(host);
            if (silent.Count == 0 && unasked.Count == 0) return;
            if (time.GetElapsedTime(started) > Deadline)
                throw problem ?? new HostFailedException(host.Name, $"{Names(silent)} never answered through the orchestrator", "Look at their logs with the command logs.");
            if (problem is not null) await Task.Delay(Poll, time, cancellationToken);
        }
    }

    /// <summary>Has an orchestrator classify as many texts at once as there are workers.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    private async Task<HostFailedException?> AskAsync(
        DeployedHost host, List<string> workers, HashSet<string> silent, IProgressStep step, CancellationToken cancellationToken)
    {
        var api = new OrchestratorApi(session[host], session.Release.Deployment, keys.AdminKey);
        try
        {
            step.Say($"{silent.Count} workers have not answered yet");
            silent.ExceptWith(await api.ClassifyAsync("Is everybody there?", workers.Count, cancellationToken));
            var known = await api.WorkersAsync(cancellationToken);
            var unwell = workers.Where(worker => known.GetValueOrDefault(worker) is not ("free" or "busy")).ToList();
            return unwell.Count == 0 ? null : new(host.Name, $"for the orchestrator {string.Join(", ", unwell.Select(worker => $"{worker} is {known.GetValueOrDefault(worker, "unknown")}"))}", "Look at their logs with the command logs.");
        }
        catch (HttpRequestException e)
        {
            return new(host.Name, $"the orchestrator does not classify: {e.Message.TrimEnd('.')}", "Look at its log with the command logs.", inner: e);
        }
    }

    private static string Names(IEnumerable<string> workers) => string.Join(", ", workers.Order(StringComparer.Ordinal));
}
