using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// Puts a release into service, one service after the other, each one host at a time. <c>docker stack deploy</c> alone
/// would update them all at once and roll back each for itself; here one that fails takes all back.
/// </summary>
/// <param name="manager">A manager of the Swarm.</param>
/// <param name="commands">The stack's commands.</param>
/// <param name="times">How long things may take.</param>
/// <param name="time">The clock.</param>
/// <param name="progress">Told of each service.</param>
/// <param name="containers">How many containers each service of a release has.</param>
internal sealed class Rollout(
    HostConnection manager, RolloutCommands commands, StackTimes times, TimeProvider time, IProgressSink progress, Func<Release, IReadOnlyDictionary<string, int>> containers)
{
    // Containers of a first deployment that fail so often are broken: a later update is stopped by the Swarm itself.
    private const int FailuresBeforeGivingUp = 3;
    // A poll costs the manager some tenths of a second of a core, which the orchestrator beside it needs.
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1.5);

    private Dictionary<string, string>? _hosts;

    /// <summary>How a service is at present, or null where there is none.</summary>
    public async Task<ServiceState?> StateAsync(string service, CancellationToken cancellationToken) =>
        RolloutCommands.ReadState(await manager.RunAsync(commands.State(service), cancellationToken));

    /// <summary>Puts the release into service.</summary>
    /// <param name="release">The release.</param>
    /// <param name="old">What served before and is to serve again if this fails, or null.</param>
    /// <param name="cancellationToken">Stops; the services stay as they are then.</param>
    /// <returns>Whether anything was changed.</returns>
    /// <exception cref="RolloutException">
    /// A service does not run: one of the release, and where <see cref="RolloutException.IsTakenBack"/> is set the old
    /// release serves again; or one of the old release, which could not be put back.
    /// </exception>
    public async Task<bool> RunAsync(Release release, Release? old, CancellationToken cancellationToken)
    {
        var expected = containers(release);
        var states = new Dictionary<string, ServiceState?>();
        foreach (var service in StackFile.Services) states[service] = await StateAsync(service, cancellationToken);
        if (StackFile.Services.All(service => states[service] is { } state && state.Version == release.Version && state.HasSettled(release.Spec(service), expected[service])))
            return false;

        if (old is null || states.Values.Any(state => state is null))
        {
            await manager.RunAsync(commands.Deploy(release.Stack), cancellationToken);
            foreach (var service in StackFile.Services)
            {
                using var step = progress.Begin($"starting {service}");
                using var telling = await TellingAsync(service, release.Version, cancellationToken);
                await SettleAsync(service, release.Spec(service), expected[service], before: null, isFirst: true, step, telling, cancellationToken);
                step.Done($"{expected[service]} healthy");
            }

            return true;
        }

        for (var count = 1; count <= StackFile.Services.Length; count++)
        {
            var service = StackFile.Services[count - 1];
            var last = count == StackFile.Services.Length;
            // The last round also gives all services the new version's label.
            if (!last && states[service]!.HasSettled(release.Spec(service), expected[service])) continue;
            try
            {
                await ReplaceAsync(service, release, last ? release.Stack : release.Towards(old, count), expected[service], $"{old.Version} → {release.Version}", cancellationToken);
            }
            catch (Exception e) when (e is RolloutException or HostFailedException)
            {
                await RevertAsync(old, e, cancellationToken);
                if (e is RolloutException failure) failure.IsTakenBack = true;
                throw;
            }
        }

        return true;
    }

    /// <summary>Puts the old release back, all services at once: each of them has run it a moment ago.</summary>
    /// <param name="old">The release.</param>
    /// <param name="because">What failed of the new one.</param>
    /// <param name="cancellationToken">Stops; the services stay as they are then.</param>
    /// <exception cref="RolloutException">A service of the old release does not run, or a host failed; <see cref="RolloutException.Because"/> is what failed first.</exception>
    public async Task RevertAsync(Release old, Exception because, CancellationToken cancellationToken)
    {
        var expected = containers(old);
        using var step = progress.Begin($"going back to version {old.Version}");
        try
        {
            await manager.RunAsync(commands.Deploy(old.Stack), cancellationToken);
            foreach (var service in StackFile.Services)
            {
                using var telling = await TellingAsync(service, $"→ {old.Version}", cancellationToken);
                await SettleAsync(service, old.Spec(service), expected[service], before: null, isFirst: false, step, telling, cancellationToken);
            }
        }
        catch (RolloutException e)
        {
            e.Because = because;
            throw;
        }
        catch (HostFailedException e)
        {
            throw new RolloutException(e) { Because = because };
        }

        step.Done();
    }

    private async Task ReplaceAsync(string service, Release release, JsonObject stack, int expected, string change, CancellationToken cancellationToken)
    {
        using var step = progress.Begin($"updating {service}");
        using var telling = await TellingAsync(service, change, cancellationToken);
        var before = await StateAsync(service, cancellationToken);
        await manager.RunAsync(commands.Deploy(stack), cancellationToken);
        await SettleAsync(service, release.Spec(service), expected, before, isFirst: false, step, telling, cancellationToken);
        step.Done($"{expected} healthy");
    }

    private async Task<RolloutTelling> TellingAsync(string service, string change, CancellationToken cancellationToken)
    {
        _hosts ??= (await SwarmExecutor.NodesAsync(manager, cancellationToken)).DistinctBy(node => node.Id).ToDictionary(node => node.Id, node => node.Hostname);
        return new(progress, service, change, _hosts, time);
    }

    private async Task SettleAsync(
        string service, string spec, int expected, ServiceState? before, bool isFirst, IProgressStep step, RolloutTelling telling, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var deadline = times.DeadlinePerHost * Math.Max(1, expected);
        while (true)
        {
            var state = await StateAsync(service, cancellationToken);
            if (state is not null)
            {
                step.Say($"{state.Healthy(spec)} of {expected} healthy");
                telling.Tell(state, spec, expected);
                var isNewUpdate = before is not null && state.UpdateStarted is not null && state.UpdateStarted != before.UpdateStarted;
                if (isNewUpdate && state.UpdateState is ("paused" or "rollback_completed" or "rollback_paused"))
                    throw await FailureAsync(service, spec, state, $"the Swarm took it back: {state.UpdateMessage}", cancellationToken);
                var isUpdating = state.UpdateState is "updating" or "rollback_started";
                if (!isUpdating && state.HasSettled(spec, expected))
                {
                    telling.Settled();
                    return;
                }

                if (isFirst && state.Failures(spec).Count >= FailuresBeforeGivingUp)
                    throw await FailureAsync(service, spec, state, $"its containers failed {state.Failures(spec).Count} times", cancellationToken);
            }

            if (time.GetElapsedTime(started) > deadline)
                throw await FailureAsync(service, spec, state, $"{state?.Healthy(spec) ?? 0} of {expected} containers were healthy after {deadline.TotalSeconds:0} s", cancellationToken);
            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private async Task<RolloutException> FailureAsync(string service, string spec, ServiceState? state, string why, CancellationToken cancellationToken)
    {
        var failed = state?.Failures(spec) is [var first, ..] ? first : state?.Tasks.FirstOrDefault(task => task.Spec == spec && task.State is not "running");
        if (failed is null) return new(service, why, "");
        var log = await manager.TryAsync(RolloutCommands.TaskLog(failed.Id), cancellationToken);
        return new(service, failed.Error.Length > 0 ? $"{why} ({failed.Error.TrimEnd('.')})" : why, log.Output);
    }
}

/// <summary>A service of a release does not run.</summary>
internal sealed class RolloutException : Exception
{
    /// <param name="service">The service.</param>
    /// <param name="why">Why, a part of a sentence.</param>
    /// <param name="log">The last lines that its container wrote.</param>
    public RolloutException(string service, string why, string log)
        : base($"{service} does not run: {why}") => Log = log;

    /// <param name="host">Whether it runs cannot be known: a host failed.</param>
    public RolloutException(HostFailedException host)
        : base(host.Message.TrimEnd('.'), host) => (Log, Remedy) = (host.Log, host.Remedy);

    /// <summary>The last lines that its container wrote.</summary>
    public string Log { get; }

    /// <summary>What to do, in sentences.</summary>
    public string Remedy { get; } = "Mend what the last lines of its log say, and run the command again.";

    /// <summary>Where it is the release before that does not run: what failed of the new one, for which it was to serve again.</summary>
    public Exception? Because { get; set; }

    /// <summary>Whether the release before it serves again in all services.</summary>
    public bool IsTakenBack { get; set; }
}
