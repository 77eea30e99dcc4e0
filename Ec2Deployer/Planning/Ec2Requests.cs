using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.EC2;
using Amazon.EC2.Model;

namespace Lab.Ec2Deployer.Planning;

/// <summary>Builds the mutating requests. Pure: the same request for the same input, down to the client token.</summary>
internal static class Ec2Requests
{
    /// <summary>Gives EC2 the public half of a key made here, so that EC2 never holds the private one.</summary>
    public static ImportKeyPairRequest ImportKey(DeploymentOptions options, string name, string publicKey) => new()
    {
        KeyName = name,
        // A word in angle brackets stays readable, and is never sent.
        PublicKeyMaterial = Ec2Ids.IsSymbolic(publicKey) ? publicKey : Base64(publicKey),
        TagSpecifications = [Specification(ResourceType.KeyPair, Tags(options, null, null))],
    };

    /// <summary>Creates an empty group: what it lets in comes after, so that nothing is open that is not in the plan.</summary>
    public static CreateSecurityGroupRequest CreateGroup(DeploymentOptions options, PlannedGroup group, string vpcId) => new()
    {
        GroupName = group.Name,
        Description = group.Description,
        VpcId = vpcId,
        TagSpecifications = [Specification(ResourceType.SecurityGroup, [.. Tags(options, null, null), new Tag(LabTags.Name, group.Name)])],
    };

    /// <summary>Lets traffic in.</summary>
    public static AuthorizeSecurityGroupIngressRequest Authorize(string groupId, IEnumerable<FirewallRule> rules) =>
        new() { GroupId = groupId, IpPermissions = [.. rules.Select(rule => Permission(rule, described: true))] };

    /// <summary>Lets traffic in no more.</summary>
    public static RevokeSecurityGroupIngressRequest Revoke(string groupId, IEnumerable<FirewallRule> rules) =>
        new() { GroupId = groupId, IpPermissions = [.. rules.Select(rule => Permission(rule, described: false))] };

    /// <summary>
    /// Starts one host: its disk encrypted, its metadata service for itself alone (version 2, one hop, so that no
    /// container reaches it but those on the host's own network), terminated when it powers off, as spot instances must be.
    /// </summary>
    /// <param name="options">What the user asked for.</param>
    /// <param name="host">The host.</param>
    /// <param name="image">The machine image; its identifier may be symbolic.</param>
    /// <param name="keyName">The key pair's name.</param>
    /// <param name="subnetId">Where it stands.</param>
    /// <param name="groupIds">Its security groups.</param>
    /// <param name="generation">Makes another token, for launches whose instance has ended since.</param>
    public static RunInstancesRequest Launch(
        DeploymentOptions options, PlannedHost host, MachineImage image, string keyName, string subnetId, IEnumerable<string> groupIds, int generation)
    {
        var tags = Tags(options, host, image.Id);
        if (host.IsSpot && options.SpotPrice is { } price) tags.Add(new Tag(LabTags.SpotPrice, SpotLaunch.Text(price)));
        var request = new RunInstancesRequest
        {
            // Else the SDK would make up a token, another at each reading.
            ClientToken = options.Name,
            ImageId = image.Id,
            InstanceType = InstanceType.FindValue(options.InstanceType),
            MinCount = 1,
            MaxCount = 1,
            KeyName = keyName,
            UserData = Base64(CloudInit.Document(host.Name, options.Ttl, options.End)),
            InstanceInitiatedShutdownBehavior = ShutdownBehavior.Terminate,
            MetadataOptions = new InstanceMetadataOptionsRequest
            {
                HttpEndpoint = InstanceMetadataEndpointState.Enabled,
                HttpTokens = HttpTokensState.Required,
                HttpPutResponseHopLimit = 1,
            },
            BlockDeviceMappings =
            [
                new BlockDeviceMapping
                {
                    DeviceName = image.RootDevice,
                    Ebs = new EbsBlockDevice
                    {
                        VolumeType = VolumeType.Gp3,
                        VolumeSize = Math.Max(options.DiskGiB, image.MinimumGiB),
                        Encrypted = true,
                        DeleteOnTermination = true,
                    },
                },
            ],
            NetworkInterfaces =
            [
                new InstanceNetworkInterfaceSpecification
                {
                    DeviceIndex = 0,
                    SubnetId = subnetId,
                    Groups = [.. groupIds],
                    AssociatePublicIpAddress = options.PublicAddresses,
                    DeleteOnTermination = true,
                },
            ],
            TagSpecifications = [Specification(ResourceType.Instance, tags), Specification(ResourceType.Volume, tags), Specification(ResourceType.NetworkInterface, tags)],
        };
        if (host.IsSpot) request.InstanceMarketOptions = SpotLaunch.MarketOptions(options);
        // EC2 answers a repeated token with the same instance, but refuses one that comes with other parameters:
        // the token is made of them.
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(RequestText.Of(request)));
        request.ClientToken = string.Create(CultureInfo.InvariantCulture, $"{options.Name}-{host.Name}-{Convert.ToHexStringLower(digest.AsSpan(0, 10))}-{generation}");
        return request;
    }

    /// <summary>Starts stopped instances.</summary>
    public static StartInstancesRequest Start(string instanceId) => new() { InstanceIds = [instanceId] };

    /// <summary>Has a stopped instance read another document at its next boot.</summary>
    public static ModifyInstanceAttributeRequest SetUserData(string instanceId, string document) => new()
    {
        InstanceId = instanceId,
        // The SDK encodes it in base64.
        UserData = new SecureBlobAttributeValue { Value = new MemoryStream(Encoding.UTF8.GetBytes(document)) },
    };

    /// <summary>Puts an instance into exactly these groups.</summary>
    public static ModifyInstanceAttributeRequest SetGroups(string instanceId, IEnumerable<string> groupIds) =>
        new() { InstanceId = instanceId, Groups = [.. groupIds] };

    /// <summary>Sets tags.</summary>
    public static CreateTagsRequest Tag(IEnumerable<string> resourceIds, IEnumerable<Tag> tags) => new() { Resources = [.. resourceIds], Tags = [.. tags] };

    /// <summary>Takes tags off, whatever their values.</summary>
    public static DeleteTagsRequest Untag(IEnumerable<string> resourceIds, IEnumerable<string> keys) => new() { Resources = [.. resourceIds], Tags = [.. keys.Select(key => new Tag { Key = key })] };

    /// <summary>Ends an instance for good.</summary>
    public static TerminateInstancesRequest Terminate(string instanceId) => new() { InstanceIds = [instanceId] };

    /// <summary>Allocates an Elastic IP address, with its tags from the first moment on: the call has no token by which it could be repeated.</summary>
    /// <param name="options">Name, owner, tags.</param>
    /// <param name="host">The host that is to have it.</param>
    public static AllocateAddressRequest Allocate(DeploymentOptions options, string host) => new()
    {
        Domain = DomainType.Vpc,
        TagSpecifications = [Specification(ResourceType.ElasticIp, AddressTags(options, host))],
    };

    /// <summary>The tags of an Elastic IP address.</summary>
    /// <inheritdoc cref="Allocate"/>
    public static List<Tag> AddressTags(DeploymentOptions options, string host) =>
        [.. Tags(options, null, null), new Tag(LabTags.Host, host), new Tag(LabTags.Name, $"{options.Name}/{host}")];

    /// <summary>Puts an address on an instance, from wherever it is.</summary>
    public static AssociateAddressRequest Associate(string allocationId, string instanceId) =>
        new() { AllocationId = allocationId, InstanceId = instanceId, AllowReassociation = true };

    /// <summary>Takes an address off its instance.</summary>
    public static DisassociateAddressRequest Disassociate(string associationId) => new() { AssociationId = associationId };

    /// <summary>Gives an address back.</summary>
    public static ReleaseAddressRequest Release(string allocationId) => new() { AllocationId = allocationId };

    /// <summary>The tags of a part of the deployment.</summary>
    public static List<Tag> Tags(DeploymentOptions options, PlannedHost? host, string? imageId)
    {
        var tags = new List<Tag> { new(LabTags.Deployment, options.Name) };
        if (options.Owner is { } owner) tags.Add(new Tag(LabTags.Owner, owner));
        tags.AddRange(options.Tags.Where(tag => tag.Value is not null).Select(tag => new Tag(tag.Key, tag.Value)));
        if (host is null) return tags;
        tags.Add(new Tag(LabTags.Host, host.Name));
        tags.Add(new Tag(LabTags.Role, host.Role == HostRole.Orchestrator ? "orchestrator" : "worker"));
        if (imageId is not null) tags.Add(new Tag(LabTags.Image, imageId));
        if (options.Ttl is { } ttl) tags.Add(new Tag(LabTags.Ttl, Durations.Text(ttl)));
        if (options.End is { } end) tags.Add(new Tag(LabTags.End, HostEnd.Tag(end)));
        tags.Add(new Tag(LabTags.Name, $"{options.Name}/{host.Name}"));
        return tags;
    }

    private static IpPermission Permission(FirewallRule rule, bool described)
    {
        var permission = new IpPermission { IpProtocol = rule.Protocol };
        if (rule.FromPort >= 0) (permission.FromPort, permission.ToPort) = (rule.FromPort, rule.ToPort);
        var purpose = described ? rule.Purpose : null;
        if (rule.Source.StartsWith("pl-", StringComparison.Ordinal))
            permission.PrefixListIds = [new PrefixListId { Id = rule.Source, Description = purpose }];
        else if (rule.SourceIsGroup)
            permission.UserIdGroupPairs = [new UserIdGroupPair { GroupId = rule.Source, Description = purpose }];
        else if (rule.Source.Contains(':', StringComparison.Ordinal))
            permission.Ipv6Ranges = [new Ipv6Range { CidrIpv6 = rule.Source, Description = purpose }];
        else
            permission.Ipv4Ranges = [new IpRange { CidrIp = rule.Source, Description = purpose }];
        return permission;
    }

    private static TagSpecification Specification(ResourceType type, IEnumerable<Tag> tags) => new() { ResourceType = type, Tags = [.. tags] };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
