using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Waits until the instances of a plan run and have shown the fingerprints of their host keys.</summary>
internal sealed class HostWait(Ec2Calls calls, Ec2Observer observer)
{
    /// <summary>The hosts, ready to be spoken to.</summary>
    /// <param name="plan">An executed plan.</param>
    /// <param name="known">Fingerprints by instance, known from earlier; what is found is added.</param>
    /// <param name="progress">Told of the waits.</param>
    /// <param name="cancellationToken">Ends the waits.</param>
    /// <exception cref="DeploymentException">An instance ended by itself, did not start in time, or did not show its key in time.</exception>
    public async Task<IReadOnlyList<DeployedHost>> ReadyAsync(
        DeploymentPlan plan, IDictionary<string, string> known, IProgressSink progress, CancellationToken cancellationToken)
    {
        try
        {
            var instances = await RunningAsync(plan, progress, cancellationToken);
            return await KeysAsync(plan, instances, known, progress, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "waiting for the hosts", plan.Options, "The hosts run and cost money until 'destroy'.");
        }
    }

    private async Task<Dictionary<string, ObservedInstance>> RunningAsync(DeploymentPlan plan, IProgressSink progress, CancellationToken cancellationToken)
    {
        using var step = progress.Begin("waiting for the instances");
        var wanted = plan.Hosts.ToDictionary(host => host.InstanceId ?? plan.Ids[host.Name], host => host.Name);
        var found = await calls.UntilAsync(async cancellationToken =>
        {
            var instances = (await observer.InstancesAsync(plan.Options.Name, cancellationToken)).Where(instance => wanted.ContainsKey(instance.InstanceId)).ToList();
            if (instances.FirstOrDefault(instance => instance.State.Name.Value is "terminated" or "shutting-down") is { } ended)
                throw Ended(wanted[ended.InstanceId], ended);
            var running = instances.Select(Ec2Observer.Observed)
                .Where(instance => instance.State == "running" && HasAddress(plan, wanted[instance.Id], instance) && instance.PrivateAddress is not null)
                .ToDictionary(instance => wanted[instance.Id]);
            step.Report(running.Count, wanted.Count);
            return running.Count == wanted.Count ? running : null;
        }, calls.Pace.Running, cancellationToken);
        if (found is null)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Waiting for the instances failed: not all of {string.Join(", ", wanted.Values)} run with an address after {Durations.Text(calls.Pace.Running)}. They were started and cost money until 'destroy'. Run the same command again to go on waiting.");
        }

        step.Done($"{wanted.Count} run");
        return found;
    }

    private static DeploymentException Ended(string host, Instance instance) => new(ExitCode.AwsRefused,
        $"Waiting for {host} failed: its instance {instance.InstanceId} ended by itself ({instance.StateReason?.Code}: {instance.StateReason?.Message?.TrimEnd('.')}). The other hosts run and cost money until 'destroy'. Run the same command again: it starts another in its place.");

    private async Task<IReadOnlyList<DeployedHost>> KeysAsync(
        DeploymentPlan plan, Dictionary<string, ObservedInstance> instances, IDictionary<string, string> known, IProgressSink progress, CancellationToken cancellationToken)
    {
        await PinAsync(plan.Options, [.. instances.Values], known, progress, cancellationToken);
        return [.. plan.Hosts.Select(host =>
        {
            var instance = instances[host.Name];
            return new DeployedHost(host.Name, host.Role, host.Manager, instance.Id, Address(plan.Options, instance)!, instance.PrivateAddress!,
                plan.Options.SshPort, plan.Options.SshUser, known.TryGetValue(instance.Id, out var key) ? key : null) { Bastion = plan.Options.Bastion };
        })];
    }

    /// <summary>Reads from the consoles the keys that are not known yet.</summary>
    /// <param name="options">Whether any key will do.</param>
    /// <param name="instances">Instances that run.</param>
    /// <param name="known">Fingerprints by instance; what is found is added.</param>
    /// <param name="progress">Told of the wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="DeploymentException">A console shows none in time.</exception>
    public async Task PinAsync(
        DeploymentOptions options, IReadOnlyCollection<ObservedInstance> instances, IDictionary<string, string> known, IProgressSink progress, CancellationToken cancellationToken)
    {
        var unknown = instances.Where(instance => !known.ContainsKey(instance.Id)).ToList();
        if (unknown.Count > 0)
        {
            using var step = progress.Begin("reading host keys from the consoles");
            var done = await calls.UntilAsync(async cancellationToken =>
            {
                foreach (var instance in unknown.ToList())
                {
                    if (ConsoleHostKey.Find(await ConsoleAsync(instance.Id, cancellationToken)) is not { } key) continue;
                    known[instance.Id] = key;
                    unknown.Remove(instance);
                }

                step.Report(instances.Count - unknown.Count, instances.Count);
                // Whoever takes any key need not wait for the right one.
                return unknown.Count == 0 || options.AcceptNewHostKey ? options : null;
            }, calls.Pace.HostKeys, cancellationToken);
            if (done is null)
            {
                throw new DeploymentException(ExitCode.HostFailed,
                    $"Reading host keys failed: the console of {string.Join(", ", unknown.Select(instance => instance.Host))} shows none after {Durations.Text(calls.Pace.HostKeys)}, so nobody can tell whether it is the right machine that answers. The hosts run and cost money until 'destroy'. Run the same command again (old types are slow to show their console), or accept what answers with --accept-new-host-key.");
            }

            step.Done(unknown.Count == 0 ? "all pinned" : $"{unknown.Count} not pinned");
        }
    }

    /// <summary>What a host wrote to its console so far.</summary>
    public async Task<string> ConsoleAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            return ConsoleHostKey.Decode((await calls.CallAsync((ec2, cancellationToken) =>
                ec2.GetConsoleOutputAsync(new GetConsoleOutputRequest { InstanceId = id, Latest = true }, cancellationToken), cancellationToken, fresh: true)).Output);
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode is "UnsupportedOperation" or "InvalidParameterCombination" or "InvalidParameterValue")
        {
            // Only Nitro based types know "latest"; EC2 calls the hypervisor of both kinds "xen".
            return ConsoleHostKey.Decode((await calls.CallAsync((ec2, cancellationToken) =>
                ec2.GetConsoleOutputAsync(new GetConsoleOutputRequest { InstanceId = id }, cancellationToken), cancellationToken, fresh: true)).Output);
        }
    }

    // EC2 may go on for a moment to show the address that an Elastic IP address has taken the place of.
    private static bool HasAddress(DeploymentPlan plan, string host, ObservedInstance instance) => Address(plan.Options, instance) is { } address
        && (plan.Options.UsePrivateAddress || plan.Ids[AddressPlanner.Address(host)] is var elastic && (Ec2Ids.IsSymbolic(elastic) || address == elastic));

    /// <summary>The address by which the deployer reaches an instance, or null while it has none.</summary>
    public static string? Address(DeploymentOptions options, ObservedInstance instance) =>
        options.UsePrivateAddress ? instance.PrivateAddress : instance.PublicAddress;
}
