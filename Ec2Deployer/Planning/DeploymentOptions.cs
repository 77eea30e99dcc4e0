using System.Text.Json.Serialization;

namespace Lab.Ec2Deployer.Planning;

/// <summary>What the user asked for. Checked by <see cref="DeploymentOptionsCheck"/> before anything else happens.</summary>
internal sealed record DeploymentOptions
{
    /// <summary>Debian's account on AWS.</summary>
    public const string DebianOwner = "136693071363";

    /// <summary>
    /// Of the present generation, at the price of m4.large, offered in most regions, and open to accounts on AWS's free plan.
    /// </summary>
    public const string DefaultInstanceType = "m7i-flex.large";

    /// <summary>The deployment's name: 1 to 24 lower case letters, digits and hyphens, a letter first.</summary>
    public string Name { get; init; } = "lab";

    /// <summary>The region, such as <c>us-east-1</c>.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>Whose it is, or null where nobody knows: then parts are neither named nor tagged by an owner.</summary>
    public string? Owner { get; init; }

    /// <summary>Whether <see cref="Owner"/> was said, now or before, and is not merely who calls.</summary>
    [JsonIgnore]
    public bool IsOwnerGiven { get; init; }

    /// <summary>Tags for everything, beside the deployer's own, by key; null: the key is to be absent.</summary>
    public IReadOnlyDictionary<string, string?> Tags { get; init; } = new SortedDictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>How many hosts run workers, two on each; the orchestrator's host comes on top. 1 to 50.</summary>
    public int Hosts { get; init; } = 4;

    /// <summary>1, or 3: one on each manager of the Swarm.</summary>
    public int Orchestrators { get; init; } = 1;

    /// <summary>The type of every host.</summary>
    public string InstanceType { get; init; } = DefaultInstanceType;

    /// <summary>Whether worker hosts that are no managers of the Swarm are asked for on spot.</summary>
    public bool Spot { get; init; }

    /// <summary>The most that a spot instance may cost, in US dollars an hour, or null: what it costs on demand.</summary>
    public decimal? SpotPrice { get; init; }

    /// <summary>The machine image (<c>ami-…</c>), or null: the newest of <see cref="ImageOwner"/> whose name fits <see cref="ImageName"/>.</summary>
    public string? ImageId { get; init; }

    /// <summary>Twelve digits, or one of EC2's aliases: <c>amazon</c>, <c>self</c>, <c>aws-marketplace</c>.</summary>
    public string ImageOwner { get; init; } = DebianOwner;

    /// <summary>Pattern of the machine image's name, or null: Debian 12's for the hosts' processors; <c>*</c> and <c>?</c> are wild.</summary>
    public string? ImageName { get; init; }

    /// <summary>The image's user, with <c>sudo</c> and no password.</summary>
    public string SshUser { get; init; } = "admin";

    /// <summary>Where the image's SSH server listens.</summary>
    public int SshPort { get; init; } = 22;

    /// <summary>Who may speak SSH to the hosts, as CIDR block, or null: the caller's address alone.</summary>
    public string? SshFrom { get; init; }

    /// <summary>Who may speak HTTP and HTTPS to the orchestrator, as CIDR block, or null: the caller's address alone.</summary>
    public string? HttpFrom { get; init; }

    /// <summary>After so long the hosts end themselves, or null: never. 10 minutes to 30 days.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>The moment at which the other hosts end themselves, for new ones; null: <see cref="Ttl"/> counts.</summary>
    [JsonIgnore]
    public DateTimeOffset? End { get; init; }

    /// <summary>Disk of each host in GiB: 8 to 1024.</summary>
    public int DiskGiB { get; init; } = 16;

    /// <summary>The deployer reaches the hosts by their private addresses; they get no public ones.</summary>
    public bool UsePrivateAddress { get; init; }

    /// <summary>The SSH server through which the deployer reaches the private addresses, or null: there is a way from here.</summary>
    [JsonIgnore]
    public Bastion? Bastion { get; init; }

    /// <summary>Whether hosts that clients reach have Elastic IP addresses, which stay when they are stopped or replaced.</summary>
    public bool ElasticIp { get; init; } = true;

    /// <summary>The VPC (<c>vpc-…</c>) in which new hosts stand, or null: that of <see cref="Subnets"/>, else the default one.</summary>
    public string? Vpc { get; init; }

    /// <summary>Subnets (<c>subnet-…</c>) of one VPC in which new hosts stand, or none: one in each zone that has a way out.</summary>
    public IReadOnlyList<string> Subnets { get; init; } = [];

    /// <summary>Where the services send telemetry by OTLP, or null: nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>Whether Aspire's dashboard runs on the orchestrator's host, and the services send their telemetry there.</summary>
    public bool Dashboard { get; init; }

    /// <summary>The container image that ours are built upon, or null: the .NET SDK's own.</summary>
    public string? BaseImage { get; init; }

    /// <summary>A model directory to serve instead of the bundled one.</summary>
    public string? ModelDirectory { get; init; }

    /// <summary>A file with a PostgreSQL connection string for jobs.</summary>
    public string? PostgresFile { get; init; }

    /// <summary>A file with the certificate for port 443.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Whether port 80 takes requests, without keys, instead of sending them on to HTTPS.</summary>
    public bool PlainHttp { get; init; }

    /// <summary>Names of hosts to be taken for lost: their instances are ended, and others put in their places. This time only.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Replace { get; init; } = [];

    /// <summary>Docker is upgraded on the hosts where there is a newer version. This time only.</summary>
    [JsonIgnore]
    public bool UpgradeDocker { get; init; }

    /// <summary>A host key that is new, changed or not to be had is accepted.</summary>
    [JsonIgnore]
    public bool AcceptNewHostKey { get; init; }

    /// <summary>The pattern of the machine image's name for hosts with such processors.</summary>
    public string ImageNameFor(HostArchitecture architecture) => ImageName ?? $"debian-12-{architecture.Debian}-*";

    /// <summary>Whether hosts get a public IPv4 address, which EC2 charges for.</summary>
    [JsonIgnore]
    public bool PublicAddresses => !UsePrivateAddress;

    /// <summary>Whether there are Elastic IP addresses.</summary>
    [JsonIgnore]
    public bool HasElasticAddresses => ElasticIp && PublicAddresses;
}
