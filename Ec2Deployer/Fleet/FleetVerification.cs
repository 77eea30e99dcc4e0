using System.Text.Json;
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

        var drained = await AskEveryWorkerAsync([.. session.OrchestratorHosts(release.OrchestratorOnEachManager)], step, cancellationToken);
        step.Done($"{containers.Count(FleetContainers.Serves)} containers healthy, every worker answers{(drained.Count > 0 ? $" but {Names(drained)}, which drain" : "")}");
        return containers;
    }

    // Several orchestrators have workers of their own each, and leave the others' alone while they can: each must know all
    // workers to be well, and have a text classified; and each worker must answer through one of them. One that drains for
    // all of them, by someone's will or since its instance is reclaimed, is to get nothing.
    private async Task<IReadOnlyCollection<string>> AskEveryWorkerAsync(IReadOnlyList<DeployedHost> orchestrators, IProgressStep step, CancellationToken cancellationToken)
    {
        var workers = session.Hosts.Where(one => one.Role is HostRole.Worker).SelectMany(one => WorkerList.Of(one.Name).Select(worker => worker.Name)).ToList();
        var silent = workers.ToHashSet(StringComparer.Ordinal);
        var drained = workers.ToHashSet(StringComparer.Ordinal);
        // Those that have not been well yet, and what was wrong with them.
        var unwell = orchestrators.ToDictionary(host => host.Name, HostFailedException? (_) => null, StringComparer.Ordinal);
        var started = time.GetTimestamp();
        for (var turn = 0; ; turn++)
        {
            var host = orchestrators[turn % orchestrators.Count];
            if (turn < orchestrators.Count || unwell.Count == 0 || unwell.ContainsKey(host.Name))
            {
                step.Say($"{silent.Count} workers have not answered yet");
                var (problem, states) = await AskAsync(host, workers, silent, cancellationToken);
                if (problem is null) unwell.Remove(host.Name);
                else unwell[host.Name] = problem;
                drained.RemoveWhere(worker => states.TryGetValue(worker, out var state) && state is not "draining");
                if (unwell.Count == 0 && silent.IsSubsetOf(drained)) return drained;
                if (turn + 1 >= orchestrators.Count && time.GetElapsedTime(started) > Deadline)
                    throw unwell.Values.FirstOrDefault() ?? new HostFailedException(host.Name, $"{Names(silent.Except(drained))} never answered through {(orchestrators.Count > 1 ? "any" : "the")} orchestrator", "Look at their logs with the command logs.");
                if (problem is not null) await Task.Delay(Poll, time, cancellationToken);
            }
        }
    }

    /// <summary>Has an orchestrator classify as many texts at once as there are workers.</summary>
    /// <returns>What is wrong with it, or null; and what it says of the workers.</returns>
    private async Task<(HostFailedException? Problem, IReadOnlyDictionary<string, string> States)> AskAsync(
        DeployedHost host, List<string> workers, HashSet<string> silent, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string> states = new Dictionary<string, string>();
        var api = new OrchestratorApi(session[host], session.Release.Deployment, keys.AdminKey);
        try
        {
            silent.ExceptWith(await api.ClassifyAsync("Is everybody there?", workers.Count, cancellationToken));
            states = await api.WorkersAsync(cancellationToken);
            var unwell = workers.Where(worker => states.GetValueOrDefault(worker) is not ("free" or "busy" or "draining")).ToList();
            return (unwell.Count == 0 ? null : Problem($"for the orchestrator {string.Join(", ", unwell.Select(worker => $"{worker} is {states.GetValueOrDefault(worker, "unknown")}"))}", null), states);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return (Problem($"the orchestrator does not classify: {e.Message.TrimEnd('.')}", e), states);
        }

        HostFailedException Problem(string what, Exception? inner) => new(host.Name, what, "Look at its log, and at the workers', with the command logs.", inner: inner);
    }

    private static string Names(IEnumerable<string> workers) => string.Join(", ", workers.Order(StringComparer.Ordinal));
}
