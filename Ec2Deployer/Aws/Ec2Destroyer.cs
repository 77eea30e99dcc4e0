using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Removes everything that carries a deployment's tag, and nothing else. Harmless where nothing is left.</summary>
internal sealed class Ec2Destroyer(Ec2Calls calls, Ec2Observer observer)
{
    /// <summary>What there is to remove.</summary>
    public async Task<Belongings> ListAsync(DeploymentOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var parts = await observer.PartsAsync(options, AskedDisks.All, cancellationToken);
            var key = parts.Keys is [var first, ..] ? first : null;
            return new Belongings(
                [.. parts.Instances.Where(instance => instance.State.Name.Value is not "terminated").Select(Ec2Observer.Observed)],
                [.. parts.Groups.Select(group => new Belonging(group.GroupId, group.GroupName))],
                [.. parts.Volumes.Select(volume => new Belonging(volume.VolumeId, $"{volume.Size} GiB"))],
                key?.Name)
            {
                PublicKey = key?.PublicKey,
                Addresses = [.. parts.Addresses.Select(address => new Belonging(address.AllocationId, address.PublicIp))],
                AddressesRefused = parts.AddressesRefused,
                Seen = [.. parts.Instances.Select(Ec2Observer.Observed)],
                Others = parts.Others,
            };
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, "asking EC2 what there is to remove", options, left: null);
        }
    }

    /// <summary>Removes it all and polls until nothing is left.</summary>
    /// <exception cref="DeploymentException">EC2 refused, or something was still there when the time was up.</exception>
    public async Task DestroyAsync(DeploymentOptions options, Belongings belongings, IProgressSink progress, CancellationToken cancellationToken)
    {
        try
        {
            await EndInstancesAsync(options, belongings, progress, cancellationToken);
            var parts = await observer.PartsAsync(options, AskedDisks.All, cancellationToken);
            foreach (var volume in parts.Volumes)
            {
                // Those of ended instances go by themselves; one that was detached by hand would stay and cost.
                if (volume.State != VolumeState.Available) continue;
                await RemoveAsync($"volume {volume.VolumeId}", "DeleteVolume", (ec2, cancellationToken) => ec2.DeleteVolumeAsync(new DeleteVolumeRequest { VolumeId = volume.VolumeId }, cancellationToken), progress, cancellationToken);
            }

            foreach (var address in parts.Addresses) await ReleaseAsync(address, progress, cancellationToken);
            await ClearAsync(parts.Groups, progress, cancellationToken);
            foreach (var group in parts.Groups)
                await RemoveAsync($"security group {group.GroupName}", "DeleteSecurityGroup", (ec2, cancellationToken) => ec2.DeleteSecurityGroupAsync(new DeleteSecurityGroupRequest { GroupId = group.GroupId }, cancellationToken), progress, cancellationToken);
            foreach (var key in parts.Keys)
                await RemoveAsync($"key pair {key.Name}", "DeleteKeyPair", (ec2, cancellationToken) => ec2.DeleteKeyPairAsync(new DeleteKeyPairRequest { KeyPairId = key.Id }, cancellationToken), progress, cancellationToken);

            await VerifyAsync(options, progress, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw Ec2Errors.Explain(e, $"removing '{options.Name}'", options, "What still runs goes on costing money.");
        }
    }

    private async Task EndInstancesAsync(DeploymentOptions options, Belongings belongings, IProgressSink progress, CancellationToken cancellationToken)
    {
        if (belongings.Instances.Count == 0) return;
        using var step = progress.Begin($"ending {belongings.Instances.Count} instances");
        var ids = belongings.Instances.Select(instance => instance.Id).ToList();
        await calls.CallAsync((ec2, cancellationToken) => ec2.TerminateInstancesAsync(new TerminateInstancesRequest { InstanceIds = ids }, cancellationToken), cancellationToken, fresh: true);
        foreach (var instance in belongings.Instances) progress.Audit("TerminateInstances", $"{instance.Host} {instance.Id}");
        var left = -1;
        var ended = await calls.UntilAsync(async cancellationToken =>
        {
            left = (await observer.PartsAsync(options, AskedDisks.None, cancellationToken)).Instances.Count(instance => instance.State.Name.Value != "terminated");
            step.Report(Math.Max(0, ids.Count - left), ids.Count);
            return left == 0 ? belongings : null;
        }, calls.Pace.Ending, cancellationToken);
        if (ended is null)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Ending the instances failed: {left} have not ended after {Durations.Text(calls.Pace.Ending)}. They cost nothing while they shut down. Run 'destroy' again to remove the rest.");
        }

        step.Done();
    }

    private async Task ReleaseAsync(Address address, IProgressSink progress, CancellationToken cancellationToken)
    {
        var what = $"Elastic IP address {address.PublicIp}";
        using var step = progress.Begin($"giving back {what}");
        await new Ec2Addresses(calls).ReleaseAsync(Ec2Requests.Release(address.AllocationId), cancellationToken);
        progress.Audit("ReleaseAddress", what);
        step.Done();
    }

    // Groups that name each other cannot be removed one by one: first their rules go.
    private async Task ClearAsync(IReadOnlyList<SecurityGroup> groups, IProgressSink progress, CancellationToken cancellationToken)
    {
        var ids = groups.Select(group => group.GroupId).ToHashSet();
        foreach (var group in groups)
        {
            var naming = (group.IpPermissions ?? [])
                .Where(permission => (permission.UserIdGroupPairs ?? []).Any(pair => pair.GroupId != group.GroupId && ids.Contains(pair.GroupId)))
                .ToList();
            if (naming.Count == 0) continue;
            await RemoveAsync($"rules of {group.GroupName}", "RevokeSecurityGroupIngress", (ec2, cancellationToken) => ec2.RevokeSecurityGroupIngressAsync(
                new RevokeSecurityGroupIngressRequest { GroupId = group.GroupId, IpPermissions = naming }, cancellationToken), progress, cancellationToken);
        }
    }

    private async Task RemoveAsync<T>(
        string what, string action, Func<IAmazonEC2, CancellationToken, Task<T>> call, IProgressSink progress, CancellationToken cancellationToken)
    {
        using var step = progress.Begin($"removing {what}");
        var began = calls.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await calls.CallAsync(call, cancellationToken);
                progress.Audit(action, what);
                step.Done();
                return;
            }
            catch (AmazonEC2Exception e) when (Ec2Errors.IsNotFound(e.ErrorCode))
            {
                step.Done("gone already");
                return;
            }
            catch (AmazonEC2Exception e) when (
                e.ErrorCode is "DependencyViolation" or "VolumeInUse" or "IncorrectState" && calls.Time.GetElapsedTime(began) < calls.Pace.Ending)
            {
                // The network interfaces of ended instances hold on to their groups for a while.
                await Task.Delay(calls.Pace.Poll, calls.Time, cancellationToken);
            }
        }
    }

    private async Task VerifyAsync(DeploymentOptions options, IProgressSink progress, CancellationToken cancellationToken)
    {
        using var step = progress.Begin("looking whether anything is left");
        Belongings? rest = null;
        var nothing = await calls.UntilAsync(async cancellationToken => (rest = await ListAsync(options, cancellationToken)).IsNothing ? rest : null, calls.Pace.Ending, cancellationToken);
        if (nothing is null)
            throw new DeploymentException(ExitCode.AwsRefused, $"Removing '{options.Name}' failed: {rest} is still there after {Durations.Text(calls.Pace.Ending)}. Run 'destroy' again, or look in the AWS console of {options.Region}.");
        if (rest!.AddressesRefused)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"Removing '{options.Name}' is done, but whether an Elastic IP address of it is left, which would cost money, cannot be told: the credentials lack the permission ec2:DescribeAddresses. Have it allowed by whoever administers the account ('iam' prints the policy to ask for), then run 'destroy' again.");
        }

        step.Done("nothing is");
    }
}

/// <summary>What carries a deployment's tag.</summary>
/// <param name="Instances">Instances that have not ended, stopped ones included.</param>
/// <param name="Groups">Security groups.</param>
/// <param name="Volumes">Disks, those of running instances included.</param>
/// <param name="Key">The key pair's name, or null.</param>
internal sealed record Belongings(
    IReadOnlyList<ObservedInstance> Instances, IReadOnlyList<Belonging> Groups, IReadOnlyList<Belonging> Volumes, string? Key)
{
    /// <summary>The owners of other deployments of the same name, which are left alone.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>Elastic IP addresses.</summary>
    public IReadOnlyList<Belonging> Addresses { get; init; } = [];

    /// <summary>Whether the account may not ask for addresses.</summary>
    public bool AddressesRefused { get; init; }

    /// <summary>The public half of the key pair, or null.</summary>
    public string? PublicKey { get; init; }

    /// <summary>All instances that EC2 still shows, those that have ended included.</summary>
    public IReadOnlyList<ObservedInstance> Seen { get; init; } = [];

    /// <summary>Whether there is nothing to remove.</summary>
    public bool IsNothing => Instances.Count == 0 && Groups.Count == 0 && Volumes.Count == 0 && Addresses.Count == 0 && Key is null;

    /// <summary>One line for people.</summary>
    public override string ToString() => IsNothing ? "nothing" : string.Join(", ",
        Instances.Select(instance => $"instance {instance.Id}")
            .Concat(Groups.Select(group => $"security group {group.Id}"))
            .Concat(Volumes.Select(volume => $"volume {volume.Id}"))
            .Concat(Addresses.Select(address => $"Elastic IP address {address.Name}"))
            .Concat(Key is null ? [] : [$"key pair {Key}"]));
}

/// <summary>A part of a deployment at EC2.</summary>
internal sealed record Belonging(string Id, string Name);
