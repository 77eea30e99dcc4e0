using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Stops a deployment's instances and starts them again, and keeps in their tags when they end. Each call may be interrupted and made again.</summary>
internal sealed class Ec2Life(Ec2Calls calls, Ec2Observer observer)
{
    private static readonly TimeSpan Boot = TimeSpan.FromMinutes(5);

    /// <summary>Refuses to start hosts whose end has passed, or comes before they have booted: their timer would end them, and what is on their disks.</summary>
    /// <exception cref="DeploymentException">There is one.</exception>
    public static void RequireAhead(DeploymentOptions options, IEnumerable<ObservedInstance> instances, DateTimeOffset now)
    {
        var over = instances.Where(instance => HostEnd.Of(instance) is { } end && end < now + Boot).ToList();
        if (over.Count == 0) return;
        throw new DeploymentException(ExitCode.Failed,
            $"Starting {string.Join(", ", over.Select(instance => instance.Host))} would end {(over.Count == 1 ? "it" : "them")} for good: the end that was set, {HostEnd.Text(over.Max(HostEnd.Of)!.Value)}, has passed or comes at once. Nothing was changed. Set another first: 'ttl 4h{Named(options)}', or 'ttl never{Named(options)}'.");
    }

    /// <summary>The same of a plan, and refuses to create hosts that share such an end: they would end at their first boot.</summary>
    /// <exception cref="DeploymentException">There is one.</exception>
    public static void RequireAhead(DeploymentPlan plan, DateTimeOffset now)
    {
        RequireAhead(plan.Options, plan.Actions.OfType<StartAction>().Select(start => start.Instance), now);
        var launched = plan.Actions.OfType<LaunchAction>().Select(launch => launch.Host.Name).ToList();
        if (launched.Count == 0 || plan.Options.End is not { } end || end >= now + Boot) return;
        throw new DeploymentException(ExitCode.Failed,
            $"{string.Join(", ", launched)} would end at {(launched.Count == 1 ? "its" : "their")} first boot: the end that was set for all hosts, {HostEnd.Text(end)}, has passed or comes at once. Nothing was changed. Set another first: 'ttl 4h{Named(plan.Options)}', or 'ttl never{Named(plan.Options)}'.");
    }

    /// <summary>Stops instances and waits until they are.</summary>
    /// <exception cref="DeploymentException">EC2 refused, or they have not stopped in time.</exception>
    public async Task StopAsync(DeploymentOptions options, IReadOnlyList<ObservedInstance> instances, IProgressSink progress, CancellationToken cancellationToken)
    {
        try
        {
            using var step = progress.Begin($"stopping {instances.Count} hosts");
            var running = instances.Where(instance => instance.State is "running" or "pending").ToList();
            if (running.Count > 0)
            {
                await CountAsync(running, cancellationToken);
                var ids = running.Select(instance => instance.Id).ToList();
                await SettledAsync((ec2, cancellationToken) => ec2.StopInstancesAsync(new StopInstancesRequest { InstanceIds = ids }, cancellationToken), cancellationToken);
                foreach (var instance in running) progress.Audit("StopInstances", $"{instance.Host} {instance.Id}");
            }

            await UntilAsync(options, instances, step, instance => instance.State.Name.Value is "stopped", calls.Pace.Ending, "stopping", cancellationToken);
            step.Done($"{instances.Count} stopped");
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "stopping the hosts", options, "Hosts that have not stopped run on and cost money.");
        }
    }

    /// <summary>Ends instances for good and waits until they have ended.</summary>
    /// <exception cref="DeploymentException">EC2 refused, or they have not ended in time.</exception>
    public async Task EndAsync(DeploymentOptions options, IReadOnlyList<ObservedInstance> instances, IProgressSink progress, CancellationToken cancellationToken)
    {
        try
        {
            using var step = progress.Begin($"ending {instances.Count} spot instances");
            var ids = instances.Select(instance => instance.Id).ToList();
            await calls.CallAsync((ec2, cancellationToken) => ec2.TerminateInstancesAsync(new TerminateInstancesRequest { InstanceIds = ids }, cancellationToken), cancellationToken, fresh: true);
            foreach (var instance in instances) progress.Audit("TerminateInstances", $"{instance.Host} {instance.Id}");
            var ended = await calls.UntilAsync(async cancellationToken =>
            {
                var left = (await observer.InstancesAsync(options.Name, cancellationToken)).Count(instance => ids.Contains(instance.InstanceId) && instance.State.Name.Value is not "terminated");
                step.Report(ids.Count - left, ids.Count);
                return left == 0 ? ids : null;
            }, calls.Pace.Ending, cancellationToken);
            if (ended is null) throw new DeploymentException(ExitCode.AwsRefused, $"Ending the spot instances failed: they have not ended after {Durations.Text(calls.Pace.Ending)}. They cost nothing while they shut down. Run the same command again.");
            step.Done($"{ids.Count} ended");
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "ending the spot instances", options, "Hosts that have not ended run on and cost money.");
        }
    }

    /// <summary>Starts instances and waits until they run with an address.</summary>
    /// <exception cref="DeploymentException">EC2 refused, or they do not run in time.</exception>
    public async Task StartAsync(DeploymentOptions options, IReadOnlyList<ObservedInstance> instances, IProgressSink progress, CancellationToken cancellationToken)
    {
        RequireAhead(options, instances.Where(instance => instance.State is "stopped" or "stopping"), calls.Time.GetUtcNow());
        try
        {
            using var step = progress.Begin($"starting {instances.Count} hosts");
            var stopped = instances.Where(instance => instance.State is "stopped" or "stopping").ToList();
            if (stopped.Count > 0)
            {
                var ids = stopped.Select(instance => instance.Id).ToList();
                await SettledAsync((ec2, cancellationToken) => ec2.StartInstancesAsync(new StartInstancesRequest { InstanceIds = ids }, cancellationToken), cancellationToken);
                foreach (var instance in stopped) progress.Audit("StartInstances", $"{instance.Host} {instance.Id}");
            }

            await UntilAsync(options, instances, step, instance => instance.State.Name.Value is "running" && HostWait.Address(options, Ec2Observer.Observed(instance)) is not null, calls.Pace.Running, "starting", cancellationToken);
            step.Done($"{instances.Count} run");
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "starting the hosts", options, "Hosts that have started run and cost money until 'stop' or 'destroy'.");
        }
    }

    /// <summary>Has a stopped host set its end at its next boot.</summary>
    /// <param name="options">The deployment.</param>
    /// <param name="instance">The instance, stopped.</param>
    /// <param name="end">The moment, or null for never.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task SetAtBootAsync(DeploymentOptions options, ObservedInstance instance, DateTimeOffset? end, CancellationToken cancellationToken)
    {
        var setting = calls.Time.GetUtcNow().ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture);
        var request = Ec2Requests.SetUserData(instance.Id, CloudInit.WithBootCommand(instance.Host, HostTimer.BootAt(end, setting)));
        await ExplainedAsync(options, (ec2, cancellationToken) => ec2.ModifyInstanceAttributeAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>Keeps in the tags of hosts what stands on them: when they end.</summary>
    /// <param name="options">The deployment.</param>
    /// <param name="instances">The hosts.</param>
    /// <param name="end">The moment, or null for never.</param>
    /// <param name="life">The duration that was asked for, where it was one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task TagAsync(DeploymentOptions options, IReadOnlyList<ObservedInstance> instances, DateTimeOffset? end, TimeSpan? life, CancellationToken cancellationToken)
    {
        if (instances.Count == 0) return;
        var ids = instances.Select(instance => instance.Id).ToList();
        if (end is not { } moment)
        {
            var keys = new DeleteTagsRequest { Resources = ids, Tags = [new Tag { Key = LabTags.End }, new Tag { Key = LabTags.Ttl }] };
            await ExplainedAsync(options, (ec2, cancellationToken) => ec2.DeleteTagsAsync(keys, cancellationToken), cancellationToken);
            return;
        }

        List<Tag> tags = [new(LabTags.End, HostEnd.Tag(moment))];
        if (life is { } asked) tags.Add(new(LabTags.Ttl, Durations.Text(asked)));
        var request = new CreateTagsRequest { Resources = ids, Tags = tags };
        await ExplainedAsync(options, (ec2, cancellationToken) => ec2.CreateTagsAsync(request, cancellationToken), cancellationToken);
    }

    private async Task ExplainedAsync<T>(DeploymentOptions options, Func<IAmazonEC2, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            await calls.CallAsync(call, cancellationToken, fresh: true);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "setting the end of the hosts", options, "Some hosts may have the new end already.");
        }
    }

    // What a run has cost is known as long as it lasts: EC2 forgets its start at the next one.
    private async Task CountAsync(List<ObservedInstance> running, CancellationToken cancellationToken)
    {
        var now = calls.Time.GetUtcNow();
        foreach (var same in running.Select(instance => (instance.Id, Tag: RunTime.Tag(instance, now))).Where(one => one.Tag is not null).GroupBy(one => one.Tag))
        {
            var request = new CreateTagsRequest { Resources = [.. same.Select(one => one.Id)], Tags = [new(LabTags.Ran, same.Key)] };
            await calls.CallAsync((ec2, cancellationToken) => ec2.CreateTagsAsync(request, cancellationToken), cancellationToken, fresh: true);
        }
    }

    // One that is between two states takes neither order yet.
    private async Task SettledAsync<T>(Func<IAmazonEC2, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var began = calls.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await calls.CallAsync(call, cancellationToken, fresh: true);
                return;
            }
            catch (AmazonEC2Exception e) when (e.ErrorCode == "IncorrectInstanceState" && calls.Time.GetElapsedTime(began) < calls.Pace.Running)
            {
                await Task.Delay(calls.Pace.Poll, calls.Time, cancellationToken);
            }
        }
    }

    private async Task UntilAsync(
        DeploymentOptions options, IReadOnlyList<ObservedInstance> instances, IProgressStep step, Func<Instance, bool> isSo, TimeSpan patience, string doing, CancellationToken cancellationToken)
    {
        var wanted = instances.ToDictionary(instance => instance.Id, instance => instance.Host);
        List<string> left = [];
        var done = await calls.UntilAsync(async cancellationToken =>
        {
            var seen = (await observer.InstancesAsync(options.Name, cancellationToken)).Where(instance => wanted.ContainsKey(instance.InstanceId)).ToList();
            if (seen.FirstOrDefault(instance => instance.State.Name.Value is "terminated" or "shutting-down") is { } ended)
            {
                throw new DeploymentException(ExitCode.AwsRefused,
                    $"While {doing} the hosts {wanted[ended.InstanceId]} ended by itself ({ended.InstanceId}; {ended.StateReason?.Code}: {ended.StateReason?.Message?.TrimEnd('.')}). 'status' shows what is left, and 'publish' puts another in its place.");
            }

            left = [.. seen.Where(instance => !isSo(instance)).Select(instance => wanted[instance.InstanceId])];
            step.Report(wanted.Count - left.Count, wanted.Count);
            return left.Count == 0 ? wanted : null;
        }, patience, cancellationToken);
        if (done is null)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"{char.ToUpperInvariant(doing[0])}{doing[1..]} the hosts failed: EC2 has not done so with {string.Join(", ", left)} after {Durations.Text(patience)}. Hosts that run cost money. Run the same command again to go on waiting.");
        }
    }

    private static string Named(DeploymentOptions options) => options.Name == new DeploymentOptions().Name ? "" : $" --name {options.Name}";
}
