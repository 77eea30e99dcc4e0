namespace Lab.Ec2Deployer.Tests.Ec2StandIn;

/// <summary>Anything with an identifier and tags.</summary>
internal abstract class StandInResource(string id, long visibleFrom, Dictionary<string, string> tags)
{
    public string Id { get; } = id;

    public Dictionary<string, string> Tags { get; } = tags;

    /// <summary>The number of the first call that knows it: until then it is NotFound, as in a system of many servers.</summary>
    public long VisibleFrom { get; } = visibleFrom;
}

internal sealed class StandInInstance(string id, long visibleFrom, Dictionary<string, string> tags) : StandInResource(id, visibleFrom, tags)
{
    public required string ImageId { get; init; }
    public required string InstanceType { get; init; }
    public required string Architecture { get; init; }
    public required string Zone { get; init; }
    public required string SubnetId { get; init; }
    public required string KeyName { get; init; }
    public required string PublicKey { get; init; }
    public required string UserData { get; set; }
    public required string ClientToken { get; init; }
    public required DateTimeOffset LaunchTime { get; set; }
    public required bool WantsPublicAddress { get; init; }
    public required bool TerminatesOnShutdown { get; init; }
    public required IReadOnlyDictionary<string, string> Request { get; init; }
    public List<string> GroupIds { get; set; } = [];

    /// <summary>The maximum price it was asked for with, "" for none; null: it is on demand.</summary>
    public string? SpotPrice { get; init; }

    /// <summary>The status of the request that it came of.</summary>
    public string SpotStatus { get; set; } = "fulfilled";

    public string State { get; set; } = "pending";
    public string? StateReason { get; set; }
    public HostAddresses? Addresses { get; set; }

    /// <summary>Until this call its network interface holds on to its groups, after it has ended.</summary>
    public long InterfaceUntil { get; set; } = long.MaxValue;

    public int ConsoleReads { get; set; }
}

internal sealed class StandInGroup(string id, long visibleFrom, Dictionary<string, string> tags) : StandInResource(id, visibleFrom, tags)
{
    public required string Name { get; init; }
    public required string Description { get; init; }
    public required string VpcId { get; init; }
    public List<StandInRule> Rules { get; } = [];
}

internal sealed record StandInRule(string Protocol, int From, int To, string Kind, string Source, string? Description)
{
    public bool Same(StandInRule other) => this with { Description = null } == other with { Description = null };
}

internal sealed class StandInKey(string id, long visibleFrom, Dictionary<string, string> tags) : StandInResource(id, visibleFrom, tags)
{
    public required string Name { get; init; }
    public required string PublicKey { get; init; }
}

internal sealed class StandInVolume(string id, long visibleFrom, Dictionary<string, string> tags) : StandInResource(id, visibleFrom, tags)
{
    public required int Size { get; set; }
    public string Type { get; set; } = "gp3";
    public required string? InstanceId { get; set; }
}

internal sealed record StandInImage(string Id, string Name, string Owner, string CreationDate, int MinimumGiB = 8, string Architecture = "x86_64");
