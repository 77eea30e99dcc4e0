using System.CommandLine;
using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>status</c>: hosts and containers as they are, what is gone, what it has cost.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Again every five seconds, until Ctrl-C; with --json one object a line." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("status", "What it costs, has cost, and when it ends; hosts, containers, versions, health, uptime.") { Watch };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await context.FindAnyAsync(cancellationToken);
            var size = Size(context, found);
            var status = await AskAsync(context, found, cancellationToken);
            status = status with { Containers = Containers(context, size, found, status) };
            var hosts = Hosts(context, size, found, status);
            if (context.Screen.IsJson) Json(context, hosts, status, found, parse.GetValue(Watch));
            else Text(context, hosts, status, found, parse.GetValue(Watch));
            if (status.Hosts.Any(host => host.IsUnanswered) && !parse.GetValue(Watch) && await context.ExplainDoorAsync(cancellationToken) is { } door) context.Progress.Note(door);
            if (!parse.GetValue(Watch)) return hosts.All(host => host.Problem is null) && status.Containers.All(container => container.Health == "healthy") ? ExitCode.Done : ExitCode.HostFailed;
            try
            {
                await Task.Delay(Interval, context.Time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // The only way to end it is no failure.
                return ExitCode.Done;
            }
        }
    }

    /// <summary>What the hosts say. Whatever keeps them from it, what EC2 says is shown, above all what costs.</summary>
    public static async Task<FleetStatus> AskAsync(CommandContext context, DeploymentSnapshot found, CancellationToken cancellationToken)
    {
        // Without a key there is no way in: what EC2 tells is told all the same.
        if (found.Hosts.Count == 0 || !File.Exists(context.Directory.PrivateKeyFile)) return FleetStatus.Unknown;
        try
        {
            return await context.Fleet.StatusAsync(found.Hosts, context.Release, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            context.Progress.Note($"The hosts cannot be asked: {e.Message}");
            return FleetStatus.Unknown;
        }
    }

    private static int Size(CommandContext context, DeploymentSnapshot found) =>
        Math.Max(found.WorkerHosts, int.TryParse(context.State.Options.GetValueOrDefault(Settings.Hosts.Option.Name), CultureInfo.InvariantCulture, out var hosts) ? hosts : 0);

    /// <summary>The containers, those of hosts that are gone or say nothing included.</summary>
    private static List<ContainerStatus> Containers(CommandContext context, int size, DeploymentSnapshot found, FleetStatus status) =>
        [.. FleetShape.Containers(context.Options with { Hosts = Math.Max(1, size) }).Select(planned =>
            status.Containers.FirstOrDefault(container => container.Name == planned.Name) ?? new(planned.Name, planned.Host, planned.Port, null,
                found.Instances.FirstOrDefault(instance => instance.Host == planned.Host)?.State switch { null => "gone", "running" or "pending" => "unknown", _ => "stopped" }, null))];

    private static List<HostLine> Hosts(CommandContext context, int size, DeploymentSnapshot found, FleetStatus status)
    {
        var now = context.Time.GetUtcNow();
        var names = FleetShape.Hosts(size);
        var first = found.Instances.OrderBy(instance => instance.LaunchedAt).ThenBy(instance => instance.Id, StringComparer.Ordinal).DistinctBy(instance => instance.Host).ToList();
        return
        [
            .. names.Select(name => first.FirstOrDefault(instance => instance.Host == name) is { } instance
                ? Line(instance, Problem(context, instance, status.Hosts.FirstOrDefault(host => host.Name == name)))
                : new HostLine(name, null, null, "gone: 'publish' puts another in its place")),
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
        _ when !File.Exists(context.Directory.PrivateKeyFile) => "its SSH key is not on this machine: 'state import', or 'publish --ssh-key'",
        _ when seen is null => "its host key is not known here: 'publish' reads it",
        _ => seen.Problem ?? (seen.Reachable ? null : "does not answer"),
    };

    private static void Text(CommandContext context, List<HostLine> hosts, FleetStatus status, DeploymentSnapshot found, bool watch)
    {
        var cost = RunningCost.Of(context.Options, found.Observed);
        var screen = context.Screen;
        if (watch && screen.IsTerminal) screen.Out.Clear(home: true);
        var instances = hosts.Select(host => host.Instance).OfType<ObservedInstance>().ToList();
        screen.Line($"Deployment '{context.Options.Name}' in {context.Options.Region}: {Money.PerHour(cost, context.Options.Region)}, {Spent(hosts)} spent, {LifeText.Ends(instances, context.Time.GetUtcNow())}");
        screen.Line($"  version {status.Version ?? (status.Hosts.Count == 0 ? "unknown" : "none yet")}; list prices of {PriceTable.Bundled.AsOfIn(context.Options.Region).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} without tax and traffic, hosts that are gone left out");
        if (status.Lock is { } held) screen.Line(string.Create(CultureInfo.InvariantCulture, $"  ! {held.Owner} holds the lock since {held.Since.UtcDateTime:yyyy-MM-dd HH:mm} UTC for '{held.What}'"));
        screen.Heading("Hosts");
        screen.Table(["name", "instance", "type", "zone", "state", "address", "up", "swarm", ""], hosts.Select(host => (IReadOnlyList<string>)
            [host.Name, host.Instance?.Id ?? "–", host.Instance?.InstanceType ?? "–", host.Instance?.Zone ?? "–", host.State, host.Address ?? "–", host.Up > TimeSpan.Zero ? Durations.Text(host.Up) : "–",
                host.Seen?.Manager is { } manager ? $"{host.Seen.Swarm}, {manager}" : host.Seen?.Swarm ?? "–", host.Problem is null ? "" : $"! {host.Problem}"]));
        foreach (var disk in found.Observed.LooseDisks) screen.Line(string.Create(CultureInfo.InvariantCulture, $"  ! {disk.Id}, a disk of {disk.GiB} GiB, belongs to no host and costs all the same: 'destroy' removes it"));
        screen.Heading("Containers");
        screen.Table(["name", "host", "port", "version", "health", "up"], status.Containers.Select(container => (IReadOnlyList<string>)
            [container.Name, container.Host, container.Port.ToString(CultureInfo.InvariantCulture), container.Version ?? "–", container.Health,
                container.StartedAt is { } at ? Durations.Text(context.Time.GetUtcNow() - at) : "–"]));
        screen.Line();
        if (DockerUpgrade.Advice([.. status.Hosts.Where(host => host.HasNewerDocker).Select(host => host.Name)]) is { } advice) screen.Line($"  {advice}");
        if (status.Versions.Count > 1) screen.Line($"  versions kept: {string.Join(", ", status.Versions)}");
    }

    private static void Json(CommandContext context, List<HostLine> hosts, FleetStatus status, DeploymentSnapshot found, bool watch)
    {
        var document = Document(context, hosts, status, found);
        if (watch) context.Screen.JsonLine(document);
        else context.Screen.Json(document);
    }

    private static object Document(CommandContext context, List<HostLine> hosts, FleetStatus status, DeploymentSnapshot found) => new
    {
        context.Options.Name,
        context.Options.Region,
        status.Version,
        status.Versions,
        Hosts = hosts.Select(host => new
        {
            host.Name,
            InstanceId = host.Instance?.Id,
            host.Instance?.InstanceType,
            host.Instance?.Zone,
            host.State,
            host.Address,
            UpSeconds = (long)host.Up.TotalSeconds,
            host.Seen?.Swarm,
            host.Seen?.Manager,
            host.Problem,
            HourlyUsd = Money.Exact(host.HourlyUsd),
            CostUsd = Rounded(host.SpentUsd, 4),
            EndsAt = host.Instance is null ? null : HostEnd.Of(host.Instance),
        }),
        status.Containers,
        status.Lock,
        NewerDocker = status.Hosts.Where(host => host.HasNewerDocker).Select(host => host.Name),
        LooseDisks = found.Observed.LooseDisks.Select(disk => new { disk.Id, SizeGib = disk.GiB }),
        HourlyUsd = Money.Exact(RunningCost.Of(context.Options, found.Observed).HourlyUsd),
        CostUsd = Rounded(Sum(hosts, host => host.SpentUsd), 4),
        UnknownPrices = RunningCost.Of(context.Options, found.Observed).Unknown,
    };

    // Of an unknown part the whole is unknown: a part of the sum would be taken for the sum.
    private static decimal? Sum(List<HostLine> hosts, Func<HostLine, decimal?> part) =>
        hosts.Where(host => host.Instance is not null).Aggregate((decimal?)0, (sum, host) => sum + part(host));

    private static decimal? Rounded(decimal? value, int digits) => value is { } known ? Math.Round(known, digits) : null;

    private static string Spent(List<HostLine> hosts) => Sum(hosts, host => host.SpentUsd) is { } spent ? Money.Sum(spent) : "an unknown sum";

    private sealed record HostLine(string Name, ObservedInstance? Instance, HostStatus? Seen, string? Problem)
    {
        public string State => Instance?.State ?? "gone";

        public string? Address { get; init; }

        public TimeSpan Up { get; init; }

        public decimal? HourlyUsd { get; init; }

        public decimal? SpentUsd { get; init; }
    }
}
