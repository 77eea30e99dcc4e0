using System.Globalization;
using Amazon.EC2.Model;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Commands;

/// <summary>A plan for people.</summary>
internal sealed class PlanText(Screen screen, DeploymentPlan plan)
{
    /// <summary>Writes it all.</summary>
    /// <param name="images">The images of the release.</param>
    /// <param name="verbose">With every request, document and command.</param>
    /// <param name="remote">The commands on the hosts.</param>
    public void Write(IReadOnlyList<PlannedImage> images, bool verbose, IReadOnlyList<RemoteStep> remote)
    {
        screen.Line($"Deployment '{plan.Options.Name}' in {plan.Options.Region}: {plan.Hosts.Count} hosts, {plan.Containers.Count} containers");

        screen.Heading("Hosts");
        screen.Table(["name", "runs", "type", "zone", "instance"], plan.Hosts.Select(host => (IReadOnlyList<string>)
            [host.Name, Runs(host, plan.Options), SpotText.Type(host.InstanceType, host.IsSpot), host.Zone, host.InstanceId ?? "to be created"]));
        screen.Line($"  machine image {plan.Image}, for {plan.Architecture} processors");
        if (Fixed() is { Count: > 0 } addresses) screen.Line($"  addresses that stay: {string.Join(", ", addresses.Select(address => $"{address.Value} ({address.Key})"))}; each costs {Money.Rate(PriceTable.Bundled.Of(plan.Options.Region, [], [], 1).HourlyUsd)} an hour, as another public address does, but also while its host is stopped");
        if (plan.Options.End is { } set) screen.Line($"  hosts end themselves at {HostEnd.Text(set)}, new ones too");
        else if (plan.Options.Ttl is { } ttl) screen.Line($"  hosts end themselves {Durations.Text(ttl)} after their first start");

        screen.Heading("Containers");
        screen.Table(["name", "host", "ports"], plan.Containers.Select(container => (IReadOnlyList<string>)
            [container.Name, container.Host, container.TlsPort is { } tls ? $"{container.Port}, {tls}" : Number(container.Port)]));
        screen.Line($"  images: {string.Join(", ", images.Select(Text))}");

        screen.Heading("Who may reach what");
        screen.Table(["group", "ports", "from", "what for"], plan.Groups.SelectMany(group => group.Rules.Select(rule => (IReadOnlyList<string>)
            [group.Name, $"{rule.Protocol} {rule.Ports}", rule.Source, rule.Purpose])));

        screen.Heading(string.Create(CultureInfo.InvariantCulture, $"Cost in US dollars, list prices of {plan.Cost.AsOf:yyyy-MM-dd}, without tax and traffic"));
        screen.Table(["what", "each per hour", "per hour", "per month"], plan.Cost.Lines
            .Select(line => (IReadOnlyList<string>)[$"{line.Count} × {line.What}", Money.Rate(line.UnitUsd, line.IsAtMost), Money.Rate(line.HourlyUsd, line.IsAtMost), Money.Sum(line.HourlyUsd * Cost.HoursPerMonth)])
            .Append(["together", "", Money.Rate(plan.Cost.HourlyUsd, plan.Cost.IsAtMost), Money.Sum(plan.Cost.MonthlyUsd)]));

        if (plan.Cost.HourlyUsd is null) screen.Line($"  together unknown: {Money.Missing(plan.Cost, plan.Options.Region)}");
        if (plan.Options is { End: null, Ttl: { } end } && plan.Cost.HourlyUsd is { } hourly)
            screen.Line($"  together until they end after {Durations.Text(end)}: {Money.Sum(hourly * (decimal)end.TotalHours)}");

        screen.Heading(plan.Observed ? "What 'publish' would change" : "What 'publish' would do (EC2 was not asked what exists)");
        if (plan.Actions.Count == 0) screen.Line("  nothing: everything is as it should be");
        else screen.Table(["", "what", "how"], plan.Actions.Select(action => (IReadOnlyList<string>)[Sign(action.Kind), action.Subject, action.Detail]));
        foreach (var note in plan.Notes) screen.Line($"  ! {note}");
        if (verbose) WriteDetail(remote);
        else screen.Line("\nWith --verbose: every request to EC2, the cloud-init document, every command on the hosts.");
    }

    private void WriteDetail(IReadOnlyList<RemoteStep> remote)
    {
        screen.Heading("Requests to EC2, in this order");
        foreach (var action in plan.Actions)
        {
            var request = action.Request(plan.Ids);
            screen.Line($"{RequestText.ActionOf(request)}");
            foreach (var (name, value) in RequestText.Fields(request))
                screen.Line($"  {name}={(request is RunInstancesRequest && name == "UserData" ? $"(the document below, in base64: {value.Length} characters)" : value)}");
        }

        screen.Heading("cloud-init document of a host (host-1; the others differ in their name)");
        screen.Line(CloudInit.Document(FleetShape.WorkerHost(1), plan.Options.Ttl, plan.Options.End));

        screen.Heading("Commands on the hosts, in this order");
        if (remote.Count == 0) screen.Line("  none");
        foreach (var step in remote)
        {
            screen.Line($"{step.Host}: {step.Title}  (at most {Durations.Text(step.Timeout)})");
            foreach (var line in step.Command.Split('\n')) screen.Line($"  {line}");
            if (step.Input is { } input) screen.Line($"  < {input.ReplaceLineEndings("\n    ")}");
        }
    }

    private Dictionary<string, string> Fixed() => plan.Addresses.ToDictionary(host => host, host => plan.Ids[AddressPlanner.Address(host)]);

    private static string Runs(PlannedHost host, DeploymentOptions options) =>
        (host.Role == HostRole.Orchestrator ? options.Dashboard ? "orchestrator, dashboard" : "orchestrator" : host.Front ? "orchestrator, 2 workers" : "2 workers") + (host.Manager ? ", Swarm manager" : "");

    private static string Text(PlannedImage image) => image.Bytes is { } bytes
        ? string.Create(CultureInfo.InvariantCulture, $"{image.Name}:{image.Version} {bytes / 1e6:F1} MB")
        : $"{image.Name} (size known once it is built)";

    private static string Sign(ActionKind kind) => kind switch { ActionKind.Create => "+", ActionKind.Remove => "-", _ => "~" };

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
