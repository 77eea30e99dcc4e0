using Amazon.EC2;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Aws;

/// <summary>Asks EC2 what a deployment consists of and where its next hosts may stand. Changes nothing.</summary>
internal sealed class Ec2Observer(Ec2Calls calls)
{
    private readonly Ec2Addresses _addresses = new(calls);
    private static readonly string[] Alive = ["pending", "running", "stopping", "stopped"];

    /// <summary>All that the planner needs.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <param name="existing">What <see cref="ExistingAsync"/> gave, where nothing has changed since; null: EC2 is asked.</param>
    /// <exception cref="DeploymentException">EC2 refused, or the region lacks something that every plan needs.</exception>
    public async Task<ObservedDeployment> ObserveAsync(DeploymentOptions options, CancellationToken cancellationToken, ObservedDeployment? existing = null)
    {
        try
        {
            existing ??= await ExistingAsync(options, cancellationToken);
            var subnets = await new Ec2Subnets(calls).FindAsync(options, cancellationToken);
            var vpc = subnets[0].VpcId;
            if (existing.Groups.FirstOrDefault(group => group.VpcId is { } other && other != vpc) is { } elsewhere)
            {
                throw new DeploymentException(ExitCode.Usage,
                    $"The deployment '{options.Name}' is in {elsewhere.VpcId}, and {subnets[0].SubnetId} is in {vpc}. Nothing was changed. Give {(options.Vpc is null ? "--subnet of" : "--vpc")} {elsewhere.VpcId}, or another --name for a deployment in {vpc}.");
            }

            var zones = await ZonesAsync(options, subnets, cancellationToken);
            return existing with
            {
                VpcId = vpc,
                Zones = [.. zones.DistinctBy(zone => zone.Zone)],
                Candidates = options is { Vpc: not null, Subnets.Count: 0 } ? zones : [],
                Image = await new Ec2Images(calls).FindAsync(options, HostArchitecture.OfType(options.InstanceType), existing.Instances, cancellationToken),
            };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw Ec2Errors.Explain(e, "asking EC2 what exists", options, left: null);
        }
    }

    /// <summary>Only what the deployment consists of: instances, groups, key pair.</summary>
    public async Task<ObservedDeployment> ExistingAsync(DeploymentOptions options, CancellationToken cancellationToken)
    {
        var parts = await PartsAsync(options, AskedDisks.WhereAllowed, cancellationToken);
        var takenBack = await new SpotRequests(calls).TakenBackAsync(parts.Instances, cancellationToken);
        var addresses = parts.Addresses.Select(Ec2Addresses.Observed).ToList();
        var instances = parts.Instances.Where(instance => Alive.Contains(instance.State.Name.Value))
            .Select(instance => Observed(instance, parts.Volumes) with { IsTakenBack = takenBack.Contains(instance.InstanceId) }).ToList();
        return new()
        {
            Known = true,
            Instances = [.. Ec2Addresses.With(instances, addresses)],
            Addresses = addresses,
            AddressesRefused = parts.AddressesRefused,
            LooseDisks = Loose(parts.Volumes, parts.Instances.Select(Observed)),
            DisksRefused = parts.VolumesRefused,
            Groups = [.. parts.Groups.Select(Observed)],
            Key = parts.Keys is [var key, ..] ? key : null,
            Others = parts.Others,
            Reclaimed = [.. parts.Instances.Where(SpotRequests.IsReclaimed).Select(instance => Observed(instance).Host).Distinct().Except(instances.Select(instance => instance.Host))],
        };
    }

    /// <summary>Everything with the deployment's tag that is this owner's, those terminated included.</summary>
    /// <param name="options">Name and owner.</param>
    /// <param name="asked">Whether volumes are asked for too.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    public async Task<DeploymentParts> PartsAsync(DeploymentOptions options, AskedDisks asked, CancellationToken cancellationToken)
    {
        var instances = await InstancesAsync(options.Name, cancellationToken);
        var groups = await GroupsAsync(options.Name, cancellationToken);
        var keys = await KeysAsync(OfDeployment(options.Name), cancellationToken);
        var (disks, refused) = asked == AskedDisks.None ? ([], false) : await Ec2Calls.WhereAllowedAsync(VolumesAsync(options.Name, cancellationToken), isNeeded: asked == AskedDisks.All);
        var (addresses, addressesRefused) = asked == AskedDisks.None ? ([], false) : await Ec2Calls.WhereAllowedAsync(_addresses.ListAsync(options.Name, cancellationToken));

        var ownership = new Ownership(options, [.. groups.Select(group => (group.GroupName, TagsOf(group.Tags))), .. keys.Select(key => (key.Name, key.Tags!))]);
        var others = instances.Where(instance => instance.State.Name.Value is not ("terminated" or "shutting-down")).Select(instance => TagsOf(instance.Tags))
            .Concat(groups.Select(group => TagsOf(group.Tags))).Concat(keys.Select(key => key.Tags!)).Concat(disks.Select(disk => TagsOf(disk.Tags))).Concat(addresses.Select(address => TagsOf(address.Tags)))
            .Where(tags => !ownership.IsOwn(tags)).Select(tags => tags.GetValueOrDefault(LabTags.Owner)).OfType<string>().Distinct().Order(StringComparer.Ordinal);
        return new(
            [.. instances.Where(instance => ownership.IsOwn(TagsOf(instance.Tags)))], [.. groups.Where(group => ownership.IsOwn(TagsOf(group.Tags)))],
            [.. keys.Where(key => ownership.IsOwn(key.Tags!))], [.. disks.Where(disk => ownership.IsOwn(TagsOf(disk.Tags)))], [.. others])
        {
            VolumesRefused = refused,
            Addresses = [.. addresses.Where(address => ownership.IsOwn(TagsOf(address.Tags)))],
            AddressesRefused = addressesRefused,
        };
    }

    /// <summary>All instances with the deployment's tag that EC2 still shows, those terminated included.</summary>
    public Task<List<Instance>> InstancesAsync(string deployment, CancellationToken cancellationToken) =>
        Ec2Calls.AllAsync<Instance>(async (token, cancellationToken) =>
        {
            var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeInstancesAsync(
                new DescribeInstancesRequest { Filters = [OfDeployment(deployment)], MaxResults = 100, NextToken = token }, cancellationToken), cancellationToken);
            return (page.Reservations?.SelectMany(reservation => reservation.Instances ?? []), page.NextToken);
        }, cancellationToken);

    /// <summary>All security groups with the deployment's tag.</summary>
    public Task<List<SecurityGroup>> GroupsAsync(string deployment, CancellationToken cancellationToken) =>
        Ec2Calls.AllAsync<SecurityGroup>(async (token, cancellationToken) =>
        {
            var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeSecurityGroupsAsync(
                new DescribeSecurityGroupsRequest { Filters = [OfDeployment(deployment)], MaxResults = 100, NextToken = token }, cancellationToken), cancellationToken);
            return (page.SecurityGroups, page.NextToken);
        }, cancellationToken);

    /// <summary>The security group of that name, whosever it is, or null.</summary>
    public async Task<SecurityGroup?> GroupAsync(string name, string vpc, CancellationToken cancellationToken) =>
        (await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeSecurityGroupsAsync(
            new DescribeSecurityGroupsRequest { Filters = [new Filter("group-name", [name]), new Filter("vpc-id", [vpc])] }, cancellationToken), cancellationToken)).SecurityGroups?.FirstOrDefault();

    /// <summary>All volumes with the deployment's tag.</summary>
    public Task<List<Volume>> VolumesAsync(string deployment, CancellationToken cancellationToken) =>
        Ec2Calls.AllAsync<Volume>(async (token, cancellationToken) =>
        {
            var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeVolumesAsync(
                new DescribeVolumesRequest { Filters = [OfDeployment(deployment)], MaxResults = 100, NextToken = token }, cancellationToken), cancellationToken);
            return (page.Volumes, page.NextToken);
        }, cancellationToken);

    /// <summary>The key pair of that name, whosever it is, or null.</summary>
    public async Task<ObservedKey?> KeyAsync(string name, CancellationToken cancellationToken) =>
        (await KeysAsync(new Filter("key-name", [name]), cancellationToken)).FirstOrDefault();

    private async Task<List<ObservedKey>> KeysAsync(Filter filter, CancellationToken cancellationToken)
    {
        var keys = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeKeyPairsAsync(
            new DescribeKeyPairsRequest { Filters = [filter], IncludePublicKey = true }, cancellationToken), cancellationToken);
        return [.. (keys.KeyPairs ?? []).Select(key => new ObservedKey(key.KeyName, WithoutComment(key.PublicKey)) { Id = key.KeyPairId, Tags = TagsOf(key.Tags) })];
    }

    /// <summary>What the planner needs to know of an instance, and its disks among some.</summary>
    public static ObservedInstance Observed(Instance instance, IEnumerable<Volume> volumes)
    {
        var observed = Observed(instance);
        return observed with { Disks = [.. volumes.Where(volume => observed.Attached.Contains(volume.VolumeId)).Select(Observed)] };
    }

    /// <summary>Those of some disks that no instance has.</summary>
    /// <param name="volumes">The disks.</param>
    /// <param name="instances">The instances, those that are ending included: their disks go with them.</param>
    public static IReadOnlyList<ObservedDisk> Loose(IEnumerable<Volume> volumes, IEnumerable<ObservedInstance> instances)
    {
        var attached = instances.SelectMany(instance => instance.Attached).ToHashSet();
        return [.. volumes.Where(volume => volume.State?.Value is not ("deleting" or "deleted") && !attached.Contains(volume.VolumeId)).Select(Observed)];
    }

    /// <summary>What the planner needs to know of an instance.</summary>
    public static ObservedInstance Observed(Instance instance)
    {
        var tags = TagsOf(instance.Tags);
        return new ObservedInstance
        {
            Id = instance.InstanceId,
            Host = tags.GetValueOrDefault(LabTags.Host, ""),
            State = instance.State.Name.Value,
            InstanceType = instance.InstanceType.Value,
            IsSpot = instance.InstanceLifecycle == InstanceLifecycleType.Spot,
            Architecture = instance.Architecture?.Value,
            ImageId = instance.ImageId,
            Zone = instance.Placement?.AvailabilityZone ?? "",
            Groups = [.. (instance.SecurityGroups ?? []).Select(group => group.GroupId)],
            Tags = tags,
            Attached =
            [
                .. (instance.BlockDeviceMappings ?? []).Select(disk => disk.Ebs?.VolumeId).OfType<string>(),
                .. (instance.NetworkInterfaces ?? []).Select(network => network.NetworkInterfaceId).OfType<string>(),
            ],
            PublicAddress = string.IsNullOrEmpty(instance.PublicIpAddress) ? null : instance.PublicIpAddress,
            ForeignAddress = Ec2Addresses.Elastic(instance),
            PrivateAddress = string.IsNullOrEmpty(instance.PrivateIpAddress) ? null : instance.PrivateIpAddress,
            LaunchedAt = instance.LaunchTime is { } at ? new DateTimeOffset(at.ToUniversalTime()) : default,
            // The launch time is that of the last start; the first interface stays from the first one on.
            FirstStartedAt = instance.NetworkInterfaces?.FirstOrDefault(network => network.Attachment?.DeviceIndex == 0)?.Attachment?.AttachTime is { } first ? new DateTimeOffset(first.ToUniversalTime()) : null,
        };
    }

    private static ObservedDisk Observed(Volume volume) => new(volume.VolumeId, volume.Size ?? 0, volume.VolumeType?.Value ?? DiskKind.Gp3);

    private static ObservedGroup Observed(SecurityGroup group) => new(group.GroupId, group.GroupName, [.. (group.IpPermissions ?? []).SelectMany(Rules)])
    {
        Tags = TagsOf(group.Tags),
        VpcId = group.VpcId,
    };

    private static IEnumerable<FirewallRule> Rules(IpPermission permission)
    {
        var from = permission.FromPort ?? -1;
        var to = permission.ToPort ?? -1;
        return (permission.Ipv4Ranges ?? []).Select(range => (range.CidrIp, range.Description))
            .Concat((permission.Ipv6Ranges ?? []).Select(range => (range.CidrIpv6, range.Description)))
            .Concat((permission.PrefixListIds ?? []).Select(list => (list.Id, list.Description)))
            .Concat((permission.UserIdGroupPairs ?? []).Select(pair => (pair.GroupId, pair.Description)))
            .Select(source => new FirewallRule(permission.IpProtocol, from, to, source.Item1, source.Description ?? ""));
    }

    private async Task<IReadOnlyList<ZoneSubnet>> ZonesAsync(DeploymentOptions options, List<Subnet> subnets, CancellationToken cancellationToken)
    {
        var offers = await Ec2Calls.AllAsync<InstanceTypeOffering>(async (token, cancellationToken) =>
        {
            var page = await calls.CallAsync((ec2, cancellationToken) => ec2.DescribeInstanceTypeOfferingsAsync(
                new DescribeInstanceTypeOfferingsRequest { LocationType = LocationType.AvailabilityZone, Filters = [new Filter("instance-type", [options.InstanceType])], NextToken = token }, cancellationToken), cancellationToken);
            return (page.InstanceTypeOfferings, page.NextToken);
        }, cancellationToken);
        var offering = offers.Select(offer => offer.Location).ToHashSet();
        var zones = subnets
            .Where(subnet => offering.Contains(subnet.AvailabilityZone))
            .OrderBy(subnet => subnet.AvailabilityZone, StringComparer.Ordinal)
            .Select(subnet => new ZoneSubnet(subnet.AvailabilityZone, subnet.SubnetId))
            .ToList();
        if (zones.Count > 0) return zones;
        throw new DeploymentException(ExitCode.AwsRefused, offering.Count == 0
            ? $"Looking for zones failed: {options.Region} does not offer {options.InstanceType}. Nothing was changed. Take another --instance-type (every region offers m5.large) or --region."
            : $"Looking for zones failed: of the zones that offer {options.InstanceType} ({string.Join(", ", offering.Order(StringComparer.Ordinal))}) {(options.Subnets.Count > 0 ? "none has one of the given subnets. Nothing was changed. Give another --subnet" : options.Vpc is { } vpc ? $"none has a subnet of {vpc}. Nothing was changed. Make one in it" : "none has a default subnet. Nothing was changed. Make one with 'aws ec2 create-default-subnet'")}, or take another --instance-type.");
    }

    // The SDK gives null for an empty list.
    private static Dictionary<string, string> TagsOf(List<Tag>? tags) => (tags ?? []).ToDictionary(tag => tag.Key, tag => tag.Value ?? "");

    private static Filter OfDeployment(string deployment) => new($"tag:{LabTags.Deployment}", [deployment]);

    private static string WithoutComment(string? key) => string.Join(' ', (key ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));
}
