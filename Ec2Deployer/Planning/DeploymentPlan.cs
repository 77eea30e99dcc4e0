namespace Lab.Ec2Deployer.Planning;

/// <summary>What is to exist, and what EC2 has to be told so that it does. Made by <see cref="DeploymentPlanner"/>.</summary>
internal sealed record DeploymentPlan
{
    /// <summary>What the user asked for.</summary>
    public required DeploymentOptions Options { get; init; }

    /// <summary>Whether EC2 was asked what exists; else everything is taken to be missing.</summary>
    public required bool Observed { get; init; }

    /// <summary>All hosts, the orchestrator's first.</summary>
    public required IReadOnlyList<PlannedHost> Hosts { get; init; }

    /// <summary>The processors of all hosts, for which the images are built.</summary>
    public required HostArchitecture Architecture { get; init; }

    /// <summary>All containers, the orchestrators first.</summary>
    public required IReadOnlyList<PlannedContainer> Containers { get; init; }

    /// <summary>The security groups with all their rules.</summary>
    public required IReadOnlyList<PlannedGroup> Groups { get; init; }

    /// <summary>The name of the key pair at EC2.</summary>
    public required string KeyName { get; init; }

    /// <summary>The machine image for new hosts: its identifier and name, or a word in angle brackets.</summary>
    public required string Image { get; init; }

    /// <summary>The calls that change something, in the order in which they are made; none where nothing differs.</summary>
    public required IReadOnlyList<Ec2Action> Actions { get; init; }

    /// <summary>Identifiers known when the plan was made.</summary>
    public required Ec2Ids Ids { get; init; }

    /// <summary>The hosts that have Elastic IP addresses.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>What it costs to run.</summary>
    public required Cost Cost { get; init; }

    /// <summary>Names of the hosts that are created or started, and so cost from then on; none where nothing costs more than before.</summary>
    public IReadOnlyList<string> Starting { get; init; } = [];

    /// <summary>What <see cref="Starting"/> costs to run.</summary>
    public required Cost StartingCost { get; init; }

    /// <summary>When <see cref="Starting"/> end by themselves; null: never, or not together.</summary>
    /// <param name="now">The present moment.</param>
    public DateTimeOffset? EndOfStarting(DateTimeOffset now)
    {
        var ends = Starting.Select(host => Actions.OfType<StartAction>().FirstOrDefault(start => start.Subject == host) is { } start
            ? HostEnd.Of(start.Instance)
            : Options.End ?? now + Options.Ttl).ToList();
        return ends.Contains(null) || ends.Max() - ends.Min() > TimeSpan.FromMinutes(10) ? null : ends.Max();
    }

    /// <summary>What the user should know, one sentence each: what differs and is left as it is, say.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}

/// <summary>A host as it is to be.</summary>
/// <param name="Name"><c>orchestrator</c>, <c>host-1</c>, …</param>
/// <param name="Role">What it runs.</param>
/// <param name="Manager">Whether it is a manager of the Swarm.</param>
/// <param name="Front">Whether an orchestrator runs on it, so that clients reach it.</param>
/// <param name="InstanceType">Its type; that of the running instance where there is one.</param>
/// <param name="Zone">Its zone, or a word in angle brackets.</param>
/// <param name="InstanceId">The instance, or null where it is to be created.</param>
internal sealed record PlannedHost(
    string Name, HostRole Role, bool Manager, bool Front, string InstanceType, string Zone, string? InstanceId)
{
    /// <summary>Whether it is a spot instance, or asked for as one.</summary>
    public bool IsSpot { get; init; }

    /// <summary>The host as the half that speaks SSH sees it, with words in angle brackets for addresses nobody knows.</summary>
    public DeployedHost Symbolic(DeploymentOptions options) => new(
        Name, Role, Manager, InstanceId ?? $"<instance of {Name}>",
        options.UsePrivateAddress ? $"<private address of {Name}>" : $"<public address of {Name}>",
        $"<private address of {Name}>", options.SshPort, options.SshUser, $"<host key of {Name}>");
}

/// <summary>A container as it is to be.</summary>
/// <param name="Name"><c>orchestrator</c>, <c>worker-1</c>, …</param>
/// <param name="Host">The name of its host.</param>
/// <param name="Port">The port it answers on.</param>
/// <param name="TlsPort">The port with TLS, or null.</param>
internal sealed record PlannedContainer(string Name, string Host, int Port, int? TlsPort = null);

/// <summary>A security group as it is to be.</summary>
/// <param name="Name">Its name at EC2.</param>
/// <param name="Description">What it is for.</param>
/// <param name="Rules">Who may reach what. A source that is a group is given by <see cref="Ec2Ids"/>.</param>
internal sealed record PlannedGroup(string Name, string Description, IReadOnlyList<FirewallRule> Rules);
