namespace Lab.Ec2Deployer.Planning;

/// <summary>What EC2 says about a deployment and about the ground it stands on, or that nobody asked.</summary>
internal sealed record ObservedDeployment
{
    /// <summary>Nobody asked EC2: what only it knows stays a word in angle brackets.</summary>
    public static ObservedDeployment Unknown { get; } = new();

    /// <summary>Whether EC2 was asked.</summary>
    public bool Known { get; init; }

    /// <summary>The default VPC, or that of the given subnets.</summary>
    public string? VpcId { get; init; }

    /// <summary>One subnet, default or given, in each zone that offers the instance type, in the order of the zones' names.</summary>
    public IReadOnlyList<ZoneSubnet> Zones { get; init; } = [];

    /// <summary>All subnets of a given VPC in such zones, of which those with a way out are to be chosen; none where subnets are given or those of the default VPC are meant.</summary>
    public IReadOnlyList<ZoneSubnet> Candidates { get; init; } = [];

    /// <summary>What EC2 told about a launch; null where none was planned.</summary>
    public LaunchFacts? Launch { get; init; }

    /// <summary>The machine image for new hosts.</summary>
    public MachineImage? Image { get; init; }

    /// <summary>The deployment's key pair at EC2.</summary>
    public ObservedKey? Key { get; init; }

    /// <summary>Its security groups.</summary>
    public IReadOnlyList<ObservedGroup> Groups { get; init; } = [];

    /// <summary>Its disks that no instance of it has, which cost all the same.</summary>
    public IReadOnlyList<ObservedDisk> LooseDisks { get; init; } = [];

    /// <summary>Its Elastic IP addresses.</summary>
    public IReadOnlyList<ObservedAddress> Addresses { get; init; } = [];

    /// <summary>Whether the account may not ask for addresses, so that none is allocated.</summary>
    public bool AddressesRefused { get; init; }

    /// <summary>Its addresses that no instance of it has, which cost all the same.</summary>
    public IReadOnlyList<ObservedAddress> LooseAddresses => [.. Addresses.Where(address => Instances.All(instance => instance.Id != address.InstanceId))];

    /// <summary>Whether the account may not ask for disks, so that their sizes are taken from the options.</summary>
    public bool DisksRefused { get; init; }

    /// <summary>The owners of others' deployments of the same name.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>Names of hosts whose spot instance EC2 has taken back, and that no other has taken the place of.</summary>
    public IReadOnlyList<string> Reclaimed { get; init; } = [];

    /// <summary>Whether EC2 shows nothing of it.</summary>
    public bool IsNothing => Instances.Count == 0 && Groups.Count == 0 && Key is null && Addresses.Count == 0;

    /// <summary>Its instances, without those terminated or on their way there.</summary>
    public IReadOnlyList<ObservedInstance> Instances { get; init; } = [];
}

/// <summary>A subnet and the zone it lies in.</summary>
internal sealed record ZoneSubnet(string Zone, string SubnetId);

/// <summary>A machine image.</summary>
/// <param name="Id"><c>ami-…</c></param>
/// <param name="Name">Its name, such as <c>debian-12-amd64-20260101-1234</c>.</param>
/// <param name="RootDevice">Its root device, such as <c>/dev/xvda</c>.</param>
/// <param name="MinimumGiB">The size of its snapshot: no disk may be smaller.</param>
internal sealed record MachineImage(string Id, string Name, string RootDevice, int MinimumGiB)
{
    /// <summary>EC2's word for the processors that it runs on, or null where EC2 was not asked.</summary>
    public string? Architecture { get; init; }
}

/// <summary>A key pair at EC2.</summary>
/// <param name="Name">Its name.</param>
/// <param name="PublicKey">Algorithm and key, without comment: <c>ssh-ed25519 AAAA…</c>.</param>
internal sealed record ObservedKey(string Name, string PublicKey)
{
    /// <summary><c>key-…</c></summary>
    public string? Id { get; init; }

    /// <summary>Its tags; null where they are not known.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; }
}

/// <summary>A security group.</summary>
/// <param name="Id"><c>sg-…</c></param>
/// <param name="Name">Its name.</param>
/// <param name="Rules">Its ingress rules, one for each source.</param>
internal sealed record ObservedGroup(string Id, string Name, IReadOnlyList<FirewallRule> Rules)
{
    /// <summary>Its tags; null where they are not known.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    /// <summary>Its VPC.</summary>
    public string? VpcId { get; init; }
}

/// <summary>An instance.</summary>
internal sealed record ObservedInstance
{
    /// <summary><c>i-…</c></summary>
    public required string Id { get; init; }

    /// <summary>The value of the tag <c>lab:host</c>.</summary>
    public required string Host { get; init; }

    /// <summary>EC2's word: <c>pending</c>, <c>running</c>, <c>stopping</c>, <c>stopped</c>.</summary>
    public required string State { get; init; }

    /// <summary>Its type, such as <c>m4.large</c>.</summary>
    public required string InstanceType { get; init; }

    /// <summary>EC2's word for its processors, such as <c>arm64</c>, or null where it does not tell.</summary>
    public string? Architecture { get; init; }

    /// <summary>The image it was started from.</summary>
    public required string ImageId { get; init; }

    /// <summary>Its zone.</summary>
    public required string Zone { get; init; }

    /// <summary>Whether it is a spot instance, which EC2 may take back and cannot stop.</summary>
    public bool IsSpot { get; init; }

    /// <summary>Whether EC2 has said that it takes this spot instance back, within two minutes.</summary>
    public bool IsTakenBack { get; init; }

    /// <summary>The maximum price that it was asked for with, in US dollars an hour, or null: that on demand.</summary>
    public decimal? SpotPrice => IsSpot ? SpotLaunch.Price(Tags.GetValueOrDefault(LabTags.SpotPrice)) : null;

    /// <summary>Identifiers of its security groups.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Its tags.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>Its disks and network interfaces, which bear the same tags.</summary>
    public IReadOnlyList<string> Attached { get; init; } = [];

    /// <summary>Its disks of the deployment; none where EC2 does not show them yet, or may not be asked for them.</summary>
    public IReadOnlyList<ObservedDisk> Disks { get; init; } = [];

    /// <summary>Its public IPv4 address, or null.</summary>
    public string? PublicAddress { get; init; }

    /// <summary>The deployment's Elastic IP address that it has, or null.</summary>
    public string? ElasticAddress { get; init; }

    /// <summary>An Elastic IP address that it has and that is not the deployment's, or null.</summary>
    public string? ForeignAddress { get; init; }

    /// <summary>Its private IPv4 address, or null while it is pending.</summary>
    public string? PrivateAddress { get; init; }

    /// <summary>When it was last started.</summary>
    public DateTimeOffset LaunchedAt { get; init; }

    /// <summary>When it was started for the first time, or null where EC2 does not tell.</summary>
    public DateTimeOffset? FirstStartedAt { get; init; }
}

/// <summary>A disk.</summary>
/// <param name="Id"><c>vol-…</c></param>
/// <param name="GiB">Its size.</param>
/// <param name="Type">Its type, such as <c>gp3</c>.</param>
internal sealed record ObservedDisk(string Id, int GiB, string Type = DiskKind.Gp3)
{
    /// <summary>What its price depends on.</summary>
    public DiskKind Kind => new(GiB, Type);
}

/// <summary>What a disk's price depends on.</summary>
/// <param name="GiB">Its size.</param>
/// <param name="Type">Its type.</param>
internal readonly record struct DiskKind(int GiB, string Type = DiskKind.Gp3)
{
    /// <summary>The type of every disk that this program asks for.</summary>
    public const string Gp3 = "gp3";
}
