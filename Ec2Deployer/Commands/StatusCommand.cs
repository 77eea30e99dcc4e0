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
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Again every five seconds, until Ctrl-C." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("status", "Hosts, containers, versions, health, uptime, and what it has cost so far.") { Watch };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await context.FindAsync(cancellationToken, reachable: false);
            // Without a key there is no way in: what EC2 tells is told all the same.
            var status = found.Hosts.Count == 0 || !File.Exists(context.Directory.PrivateKeyFile)
                ? new FleetStatus(null, [], [], [], null) : await context.Fleet.StatusAsync(found.Hosts, context.Release, cancellationToken);
            var size = Size(context, found);
            status = status with { Containers = Containers(context, size, status) };
            var hosts = Hosts(context, size, found, status);
            if (context.Screen.IsJson) Json(context, hosts, status);
            else Text(context, hosts, status, parse.GetValue(Watch));
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

    private static int Size(CommandContext context, DeploymentSnapshot found) =>
        Math.Max(found.WorkerHosts, int.TryParse(context.State.Options.GetValueOrDefault(Settings.Hosts.Option.Name), CultureInfo.InvariantCulture, out var hosts) ? hosts : 0);

    /// <summary>The containers, those of hosts that are gone included.</summary>
    private static List<ContainerStatus> Containers(CommandContext context, int size, FleetStatus status) =>
        [.. FleetShape.Containers(context.Options with { Hosts = Math.Max(1, size) }).Select(planned =>
            status.Containers.FirstOrDefault(container => container.Name == planned.Name) ?? new(planned.Name, planned.Host, planned.Port, null, "gone", null))];

    private static List<HostLine> Hosts(CommandContext context, int size, DeploymentSnapshot found, FleetStatus status)
    {
        var now = context.Time.GetUtcNow();
        return
        [
            .. FleetShape.Hosts(size).Select(name =>
            {
                var instance = found.Instances.FirstOrDefault(instance => instance.Host == name);
                var seen = status.Hosts.FirstOrDefault(host => host.Name == name);
                var problem = instance is null ? "gone: 'publish' puts another in its place"
                    : instance.State != "running" ? $"{instance.State}: 'publish' starts it"
                    : !File.Exists(context.Directory.PrivateKeyFile) ? "its SSH key is not on this machine: 'state import', or 'publish --ssh-key'"
                    : seen is null ? "its host key is not known here: 'publish' reads it"
                    : seen.Problem ?? (seen.Reachable ? null : "does not answer");
                var price = instance is null ? null : PriceTable.Bundled.Of(
                    context.Options.Region, [instance.InstanceType], context.Options.DiskGiB, instance.PublicAddress is not null).HourlyUsd;
                var up = instance is { State: "running" } ? now - instance.LaunchedAt : TimeSpan.Zero;
                return new HostLine(name, instance?.Id, instance?.InstanceType, instance?.Zone, instance is null ? "gone" : instance.State,
                    instance is null ? null : HostWait.Address(context.Options, instance), up, seen?.Swarm, seen?.Manager, price * (decimal)up.TotalHours, problem);
            }),
        ];
    }

    private static void Text(CommandContext context, List<HostLine> hosts, FleetStatus status, bool watch)
    {
        var screen = context.Screen;
        if (watch && screen.IsTerminal) screen.Out.Clear(home: true);
        screen.Line($"Deployment '{context.Options.Name}' in {context.Options.Region}: version {status.Version ?? "none yet"}");
        if (status.Lock is { } held) screen.Line($"  ! {held.Owner} holds the lock since {held.Since:yyyy-MM-dd HH:mm} UTC for '{held.What}'");
        screen.Heading("Hosts");
        screen.Table(["name", "instance", "type", "zone", "state", "address", "up", "swarm", ""], hosts.Select(host => (IReadOnlyList<string>)
            [host.Name, host.Instance ?? "–", host.Type ?? "–", host.Zone ?? "–", host.State, host.Address ?? "–", host.Up > TimeSpan.Zero ? Durations.Text(host.Up) : "–",
                host.Manager is { } manager ? $"{host.Swarm}, {manager}" : host.Swarm ?? "–", host.Problem is null ? "" : $"! {host.Problem}"]));
        screen.Heading("Containers");
        screen.Table(["name", "host", "port", "version", "health", "up"], status.Containers.Select(container => (IReadOnlyList<string>)
            [container.Name, container.Host, container.Port.ToString(CultureInfo.InvariantCulture), container.Version ?? "–", container.Health,
                container.StartedAt is { } at ? Durations.Text(context.Time.GetUtcNow() - at) : "–"]));
        screen.Line();
        screen.Line(CostOf(hosts) is { } cost
            ? string.Create(CultureInfo.InvariantCulture, $"  cost since the hosts' last start: {cost:F2} US dollars, list prices of {PriceTable.Bundled.AsOf:yyyy-MM-dd}, without tax and traffic")
            : $"  cost: unknown, for the table of prices has not all of {string.Join(", ", hosts.Select(host => host.Type).OfType<string>().Distinct())} in {context.Options.Region}");
        if (status.Versions.Count > 1) screen.Line($"  versions kept: {string.Join(", ", status.Versions)}");
    }

    private static void Json(CommandContext context, List<HostLine> hosts, FleetStatus status) => context.Screen.Json(new
    {
        context.Options.Name,
        context.Options.Region,
        status.Version,
        status.Versions,
        Hosts = hosts.Select(host => new
        {
            host.Name,
            InstanceId = host.Instance,
            InstanceType = host.Type,
            host.Zone,
            host.State,
            host.Address,
            UpSeconds = (long)host.Up.TotalSeconds,
            host.Swarm,
            host.Manager,
            host.Problem,
        }),
        status.Containers,
        status.Lock,
        CostUsd = CostOf(hosts),
    });

    private static decimal? CostOf(List<HostLine> hosts) =>
        hosts.Any(host => host.Instance is not null && host.CostUsd is null) ? null : Math.Round(hosts.Sum(host => host.CostUsd ?? 0), 4);

    private sealed record HostLine(
        string Name, string? Instance, string? Type, string? Zone, string State, string? Address, TimeSpan Up, string? Swarm, string? Manager, decimal? CostUsd, string? Problem);
}
