using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Commands;

/// <summary>A plan for machines. Names and meanings of its fields do not change; fields may be added.</summary>
internal static class PlanDocument
{
    /// <summary>The document.</summary>
    public static Dictionary<string, object?> Of(DeploymentPlan plan, IReadOnlyList<PlannedImage> images, bool verbose, IReadOnlyList<RemoteStep> remote)
    {
        var document = new Dictionary<string, object?>
        {
            ["name"] = plan.Options.Name,
            ["region"] = plan.Options.Region,
            ["observed"] = plan.Observed,
            ["machine_image"] = plan.Image,
            ["architecture"] = plan.Architecture.Ec2,
            ["hosts"] = plan.Hosts.Select(host => new
            {
                host.Name,
                Role = host.Role == HostRole.Orchestrator ? "orchestrator" : "worker",
                host.Manager,
                host.InstanceType,
                Spot = host.IsSpot,
                host.Zone,
                host.InstanceId,
            }),
            ["addresses"] = plan.Addresses.Select(host => new { Host = host, Address = Known(plan.Ids[AddressPlanner.Address(host)]) }),
            ["containers"] = plan.Containers.Select(container => new { container.Name, container.Host, container.Port, container.TlsPort }),
            ["images"] = images,
            ["security_groups"] = plan.Groups.Select(group => new
            {
                group.Name,
                Rules = group.Rules.Select(rule => new { rule.Protocol, rule.FromPort, rule.ToPort, rule.Source, rule.Purpose }),
            }),
            ["prices_as_of"] = plan.Cost.AsOf,
            ["cost"] = plan.Cost.Lines.Select(line => new { line.What, line.Count, UnitUsd = Money.Exact(line.UnitUsd), HourlyUsd = Money.Exact(line.HourlyUsd) }),
            ["hourly_usd"] = Money.Exact(plan.Cost.HourlyUsd),
            ["costs_at_most"] = plan.Cost.IsAtMost,
            ["monthly_usd"] = Rounded(plan.Cost.MonthlyUsd, 2),
            ["until_end_usd"] = plan.Options is { End: null, Ttl: { } ttl } ? Rounded(plan.Cost.HourlyUsd * (decimal)ttl.TotalHours, 2) : null,
            ["starting"] = plan.Starting,
            ["starting_hourly_usd"] = Money.Exact(plan.StartingCost.HourlyUsd),
            ["actions"] = plan.Actions.Select(action => new
            {
                Kind = action.Kind.ToString().ToLowerInvariant(),
                action.Subject,
                action.Detail,
                Call = RequestText.ActionOf(action.Request(plan.Ids)),
            }),
            ["notes"] = plan.Notes,
        };
        if (!verbose) return document;
        document["requests"] = plan.Actions.Select(action => action.Request(plan.Ids)).Select(request => new
        {
            Action = RequestText.ActionOf(request),
            Fields = RequestText.Fields(request).ToDictionary(),
        });
        document["cloud_init"] = plan.Hosts.ToDictionary(host => host.Name, host => CloudInit.Document(host.Name, plan.Options.Ttl, plan.Options.End));
        document["remote"] = remote.Select(step => new { step.Host, step.Title, step.Command, TimeoutSeconds = step.Timeout.TotalSeconds, step.Input });
        return document;
    }

    private static string? Known(string id) => Ec2Ids.IsSymbolic(id) ? null : id;

    private static decimal? Rounded(decimal? value, int digits) => value is { } known ? Math.Round(known, digits) : null;
}
