using System.Globalization;
using Amazon.EC2;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// Plans the Elastic IP addresses: one for each host that clients reach, which the next host of that name takes over.
/// Those that nothing needs are released. Pure.
/// </summary>
/// <param name="options">What the user asked for.</param>
/// <param name="observed">What exists.</param>
/// <param name="ids">Learns what exists.</param>
/// <param name="actions">Gets what has to be done.</param>
/// <param name="notes">Gets what the user should know.</param>
internal sealed class AddressPlanner(DeploymentOptions options, ObservedDeployment observed, Ec2Ids ids, List<Ec2Action> actions, List<string> notes)
{
    private readonly Dictionary<string, ObservedAddress> _kept = [];

    /// <summary>What an address is called among the parts of a deployment.</summary>
    /// <param name="host">The host's name.</param>
    public static string Subject(string host) => $"address of {host}";

    /// <summary>What an address itself is called among the identifiers, which know it once it is allocated.</summary>
    /// <inheritdoc cref="Subject"/>
    public static string Address(string host) => $"public address of {host}";

    private bool Wanted => options.HasElasticAddresses && !observed.AddressesRefused;

    /// <summary>The hosts that are to have one.</summary>
    public IReadOnlyList<string> Hosts => [.. Fronts()];

    /// <summary>Plans those that lack. To be called before anything that costs: where the account may have no more, nothing is started.</summary>
    public void Allocate()
    {
        if (options.HasElasticAddresses && observed.AddressesRefused)
            notes.Add("The account does not allow ec2:DescribeAddresses: there is no Elastic IP address, and the orchestrator's address changes when its host is replaced or stopped ('iam' prints the policy to ask for).");
        foreach (var host in FleetShape.Hosts(options.Hosts).Where(host => Wanted && FleetShape.IsFront(host, options)))
        {
            if (Instance(host)?.ForeignAddress is { } foreign)
                notes.Add($"{host} has the Elastic IP address {foreign}, which is not the deployment's: it is left as it is, and no other is allocated.");
        }

        foreach (var host in Fronts())
        {
            var instance = Instance(host);
            if (observed.Addresses.Where(address => address.Host == host).OrderBy(address => address.InstanceId is null || address.InstanceId != instance?.Id).ThenBy(address => address.Id, StringComparer.Ordinal).FirstOrDefault() is { } kept)
            {
                _kept[host] = kept;
                (ids[Subject(host)], ids[Address(host)]) = (kept.Id, kept.Address);
                continue;
            }

            actions.Add(new AllocateAction(host, options));
            if (instance is { PublicAddress: { } former })
                notes.Add($"The address of {host} changes once, from {former}, which would be lost with its host or by 'stop', to an Elastic IP address, which stays: tell it to whoever knows the old one ('--elastic-ip no' leaves it as it is).");
        }

        if ((options.Ttl ?? (object?)options.End) is not null && Fronts().Count() is > 0 and var count)
            notes.Add($"{(count == 1 ? "The Elastic IP address outlives its host" : "Elastic IP addresses outlive their hosts")}: after the end {(count == 1 ? "it costs" : $"{count} cost")} {Money(count)} until 'destroy'.");
    }

    /// <summary>Plans that hosts have theirs, and that nobody pays for others.</summary>
    /// <param name="hosts">The hosts as they are to be.</param>
    public void Associate(IReadOnlyList<PlannedHost> hosts)
    {
        foreach (var host in Fronts())
        {
            var kept = _kept.GetValueOrDefault(host);
            // Not before the key pair and the groups: their tags say whose all the rest is.
            if (kept is not null) actions.AddRange(TagActions.Of(options, Subject(host), [kept.Id], kept.Tags, Ec2Requests.AddressTags(options, host)));
            var instanceId = hosts.First(planned => planned.Name == host).InstanceId;
            if (instanceId is not null && kept?.InstanceId == instanceId) continue;
            actions.Add(new SimpleAction(ActionKind.Change, Subject(host), $"put on {instanceId ?? $"the new {host}"}{(kept is null ? "" : $", {kept.Address} as before")}",
                known => Ec2Requests.Associate(known[Subject(host)], instanceId ?? known[host])));
        }

        foreach (var address in observed.Addresses.Where(address => !_kept.ContainsValue(address)))
        {
            // Its host stays, and an orchestrator of the version of before may still serve there.
            var isWithdrawal = Wanted && hosts.Any(host => host.Name == address.Host && !host.Front && host.InstanceId is not null);
            if (address.AssociationId is { } association && hosts.Any(host => host.InstanceId == address.InstanceId))
            {
                notes.Add($"The address of {address.Host} changes from {address.Address}, which is given back for good, to one of EC2's pool.");
                actions.Add(new SimpleAction(ActionKind.Change, Subject(address.Host), $"{address.Address} taken off {address.InstanceId}", _ => Ec2Requests.Disassociate(association)) { IsWithdrawal = isWithdrawal });
            }

            actions.Add(new SimpleAction(ActionKind.Remove, Subject(address.Host), $"{address.Address}, given back for good", _ => Ec2Requests.Release(address.Id)) { IsWithdrawal = isWithdrawal });
        }
    }

    // An address that somebody else has put on a host is his, and stays there.
    private IEnumerable<string> Fronts() => !Wanted ? [] : FleetShape.Hosts(options.Hosts)
        .Where(host => FleetShape.IsFront(host, options))
        .Where(host => Instance(host)?.ForeignAddress is null);

    private ObservedInstance? Instance(string host) => observed.Instances
        .Where(instance => instance.Host == host && !options.Replace.Contains(host))
        .OrderBy(instance => instance.LaunchedAt).ThenBy(instance => instance.Id, StringComparer.Ordinal)
        .FirstOrDefault();

    private string Money(int count) => PriceTable.Bundled.Of(options.Region, [], [], count).HourlyUsd is { } usd
        ? string.Create(CultureInfo.InvariantCulture, $"{usd:0.000} US dollars an hour")
        : "an unknown price";
}

/// <summary>The allocation of an Elastic IP address.</summary>
/// <param name="host">The host that is to have it.</param>
/// <param name="options">Tags.</param>
internal sealed class AllocateAction(string host, DeploymentOptions options)
    : Ec2Action(ActionKind.Create, AddressPlanner.Subject(host), "Elastic IP address, which stays when its host is stopped or replaced")
{
    /// <summary>The host that is to have it.</summary>
    public string Host { get; } = host;

    /// <inheritdoc/>
    public override AmazonEC2Request Request(Ec2Ids ids) => Ec2Requests.Allocate(options, Host);
}
