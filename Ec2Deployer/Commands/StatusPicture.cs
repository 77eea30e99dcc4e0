using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>A deployment at one moment: hosts, containers, load and costs, for people or for machines.</summary>
internal sealed class StatusPicture
{
    private readonly CommandContext _context;
    private readonly DeploymentSnapshot _found;
    private readonly List<HostLine> _hosts;

    private StatusPicture(CommandContext context, DeploymentSnapshot found, FleetStatus status, List<HostLine> hosts) =>
        (_context, _found, Status, _hosts) = (context, found, status, hosts);

    /// <summary>What the hosts say, with the containers of those that say nothing.</summary>
    public FleetStatus Status { get; }

    /// <summary>Whether every host and container is as it should be.</summary>
    public bool IsWell => _hosts.TrueForAll(host => host.Problem is null) && Status.Containers.All(container => container.Health == "healthy");

    /// <summary>Puts together what EC2 and the hosts say.</summary>
    /// <param name="context">The command.</param>
    /// <param name="found">What EC2 says.</param>
    /// <param name="status">What the hosts say.</param>
    public static StatusPicture Of(CommandContext context, DeploymentSnapshot found, FleetStatus status)
    {
        var size = Size(context, found);
        status = status with { Containers = Containers(context, size, found, status) };
        return new(context, found, status, HostLines(context, size, found, status));
    }

    /// <summary>How many worker hosts there are to be, by what was remembered and what exists.</summary>
    public static int Size(CommandContext context, DeploymentSnapshot found) =>
        Math.Max(found.WorkerHosts, int.TryParse(context.State.Options.GetValueOrDefault(Settings.Hosts.Option.Name), CultureInfo.InvariantCulture, out var hosts) ? hosts : 0);

    /// <summary>The containers, those of hosts that are gone or say nothing included.</summary>
    private static List<ContainerStatus> Containers(CommandContext context, int size, DeploymentSnapshot found, FleetStatus status) =>
        [.. FleetShape.Containers(Serving(context, status) with { Hosts = Math.Max(1, size) }).Select(planned =>
            status.Containers.FirstOrDefault(container => container.Name == planned.Name) ?? new(planned.Name, planned.Host, planned.Port, null,
                found.Instances.FirstOrDefault(instance => instance.Host == planned.Host)?.State switch { null => "gone", "running" or "pending" => "unknown", _ => "stopped" }, null))];

    // After a rollback, or a publish that was taken back, what serves may have fewer orchestrators than what was asked for last.
    private static DeploymentOptions Serving(CommandContext context, FleetStatus status) => status.OrchestratorOnEachManager is { } several
        ? context.Options with { Orchestrators = several ? FleetShape.SeveralOrchestrators : 1 }
        : context.Options;

    private static List<HostLine> HostLines(CommandContext context, int size, DeploymentSnapshot found, FleetStatus status)
    {
        var now = context.Time.GetUtcNow();
        var names = FleetShape.Hosts(size);
        var first = found.Instances.OrderBy(instance => instance.LaunchedAt).ThenBy(instance => instance.Id, StringComparer.Ordinal).DistinctBy(instance => instance.Host).ToList();
        return
        [
            .. names.Select(name => first.FirstOrDefault(instance => instance.Host == name) is { } instance
                ? Line(instance, Problem(context, instance, status.Hosts.FirstOrDefault(host => host.Name == name)))
                : new HostLine(name, null, null, SpotText.Gone(name, found.Observed))),
            // They cost as much as the others.
            .. found.Instances.Where(instance => !first.Contains(instance) || !names.Contains(instance.Host))
                .Select(instance => Line(instance, first.Contains(instance) ? "none of the deployment's hosts: 'destroy' ends it" : $"a second {instance.Host}: 'publish' ends it")),
        ];

        HostLine Line(ObservedInstance instance, string? problem) => new(instance.Host, instance, status.Hosts.FirstOrDefault(host => host.Name == instance.Host), problem)
        {
            Address = HostWait.Address(context.Options, instance),
            Up = instance is { State: "running" } ? now - instance.LaunchedAt : TimeSpan.Zero,
            HourlyUsd = HostCost.HourlyUsd(context.Options, instance),
            SpentUsd = HostCost.SpentUsd(context.Options, instance, now),
        };
    }

    private static string? Problem(CommandContext context, ObservedInstance instance, HostStatus? seen) => instance.State switch
    {
        "stopped" => "stopped: 'start' starts it",
        "stopping" => "stops: 'start' starts it again",
        "pending" => "starts",
        _ when instance.IsTakenBack => SpotText.TakenBack,
        _ when !File.Exists(context.Directory.PrivateKeyFile) => "its SSH key is not on this machine: 'state import', or 'publish --ssh-key'",
        _ when seen is null => "its host key is not known here: 'publish' reads it",
        _ => seen.Problem ?? (seen.Reachable ? null : "does not answer"),
    };

    /// <summary>It for people.</summary>
    public void Write(Screen screen)
    {
        var now = _context.Time.GetUtcNow();
        var (options, observed) = (_context.Options, _found.Observed);
        var cost = RunningCost.Of(options, observed);
        screen.Line($"Deployment '{options.Name}' in {options.Region}: {Money.PerHour(cost, options.Region)}, {(cost.IsAtMost ? "at most " : "")}{Spent()} spent, {LifeText.Ends([.. _hosts.Select(host => host.Instance).OfType<ObservedInstance>()], now)}");
        screen.Line($"  version {Status.Version ?? (Status.Hosts.Count == 0 ? "unknown" : "none yet")}; list prices of {PriceTable.Bundled.AsOfIn(options.Region).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} without tax and traffic, hosts that are gone left out");
        if (Status.Traffic is { } traffic)
            screen.Line(string.Create(CultureInfo.InvariantCulture, $"  last minute: {traffic.RequestsPerSecond:0.0} requests a second{(traffic.P99Ms is { } p99 ? $", 99 of 100 within {p99:0} ms" : "")}"));
        if (Status.Lock is { } held) screen.Line(string.Create(CultureInfo.InvariantCulture, $"  ! {held.Owner} holds the lock since {held.Since.UtcDateTime:yyyy-MM-dd HH:mm} UTC for '{held.What}'"));
        screen.Heading("Hosts");
        screen.Table(["name", "instance", "type", "zone", "state", "address", "up", "swarm", ""], _hosts.Select(host => (IReadOnlyList<string>)
            [host.Name, host.Instance?.Id ?? "–", host.Instance is { } shown ? SpotText.Type(shown.InstanceType, shown.IsSpot) : "–", host.Instance?.Zone ?? "–", host.State, host.Address ?? "–", host.Up > TimeSpan.Zero ? Durations.Text(host.Up) : "–",
                host.Seen?.Manager is { } manager ? $"{host.Seen.Swarm}, {manager}" : host.Seen?.Swarm ?? "–", host.Problem is null ? "" : $"! {host.Problem}"]));
        if (observed.Addresses.Count > 0)
            screen.Line($"  Elastic IP, which stays and costs until 'destroy': {string.Join(", ", observed.Addresses.Select(address => $"{address.Address} ({address.Host}{(observed.LooseAddresses.Contains(address) ? ", on no host: 'publish' puts it on one" : "")})"))}");
        foreach (var disk in observed.LooseDisks) screen.Line(string.Create(CultureInfo.InvariantCulture, $"  ! {disk.Id}, a disk of {disk.GiB} GiB, belongs to no host and costs all the same: 'destroy' removes it"));
        screen.Heading("Containers");
        var states = Status.Containers.Any(container => container.State is not null);
        screen.Table([.. (string[])["name", "host", "port", "version", "health"], .. states ? ["state"] : Array.Empty<string>(), "up"], Status.Containers.Select(container => (IReadOnlyList<string>)
            [container.Name, container.Host, container.Port.ToString(CultureInfo.InvariantCulture), container.Version ?? "–", container.Health, .. states ? [container.State ?? "–"] : Array.Empty<string>(),
                container.StartedAt is { } at ? Durations.Text(now - at) : "–"]));
        screen.Line();
        if (DockerUpgrade.Advice([.. Status.Hosts.Where(host => host.HasNewerDocker).Select(host => host.Name)]) is { } advice) screen.Line($"  {advice}");
        if (Status.Versions.Count > 1) screen.Line($"  versions kept: {string.Join(", ", Status.Versions)}");
    }

    /// <summary>It for machines. Names and meanings of its fields do not change; fields may be added.</summary>
    public object Document() => new
    {
        _context.Options.Name,
        _context.Options.Region,
        Status.Version,
        Status.Versions,
        Hosts = _hosts.Select(host => new
        {
            host.Name,
            InstanceId = host.Instance?.Id,
            host.Instance?.InstanceType,
            Spot = host.Instance?.IsSpot,
            TakenBack = host.Instance?.IsTakenBack,
            host.Instance?.Zone,
            host.State,
            host.Address,
            AddressStays = host.Instance?.ElasticAddress is not null,
            UpSeconds = (long)host.Up.TotalSeconds,
            host.Seen?.Swarm,
            host.Seen?.Manager,
            host.Problem,
            HourlyUsd = Money.Exact(host.HourlyUsd),
            CostUsd = Rounded(host.SpentUsd, 4),
            EndsAt = host.Instance is null ? null : HostEnd.Of(host.Instance),
        }),
        Status.Containers,
        Status.Lock,
        NewerDocker = Status.Hosts.Where(host => host.HasNewerDocker).Select(host => host.Name),
        LooseDisks = _found.Observed.LooseDisks.Select(disk => new { disk.Id, SizeGib = disk.GiB }),
        Addresses = _found.Observed.Addresses.Select(address => new { address.Host, address.Address, AllocationId = address.Id }),
        Traffic = Status.Traffic is { } traffic ? new { RequestsPerSecond = Math.Round(traffic.RequestsPerSecond, 2), P99Ms = traffic.P99Ms is { } p99 ? (double?)Math.Round(p99, 1) : null } : null,
        HourlyUsd = Money.Exact(RunningCost.Of(_context.Options, _found.Observed).HourlyUsd),
        CostsAtMost = RunningCost.Of(_context.Options, _found.Observed).IsAtMost,
        CostUsd = Rounded(Sum(_hosts, host => host.SpentUsd), 4),
        UnknownPrices = RunningCost.Of(_context.Options, _found.Observed).Unknown,
    };

    // Of an unknown part the whole is unknown: a part of the sum would be taken for the sum.
    private static decimal? Sum(List<HostLine> hosts, Func<HostLine, decimal?> part) =>
        hosts.Where(host => host.Instance is not null).Aggregate((decimal?)0, (sum, host) => sum + part(host));

    private static decimal? Rounded(decimal? value, int digits) => value is { } known ? Math.Round(known, digits) : null;

    private string Spent() => Sum(_hosts, host => host.SpentUsd) is { } spent ? Money.Sum(spent) : "an unknown sum";

    private sealed record HostLine(string Name, ObservedInstance? Instance, HostStatus? Seen, string? Problem)
    {
        public string State => Instance?.State ?? "gone";

        public string? Address { get; init; }

        public TimeSpan Up { get; init; }

        public decimal? HourlyUsd { get; init; }

        public decimal? SpentUsd { get; init; }
    }
}
