using System.CommandLine;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>stop</c>: the hosts are switched off and keep what is on their disks, which is all that costs then.</summary>
internal static class StopCommand
{
    private static readonly Option<bool> Force = new("--force") { Description = "Even while another deployer is at work." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("stop", "Switch the hosts off, overnight say: only disks and Elastic IP addresses cost then; spot instances, which cannot be stopped, are ended. Requests under way may be cut off; jobs, keys and versions stay.") { Force };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAnyAsync(cancellationToken);
        // Hosts that say nothing are stopped as well: they cost as much.
        if (!parse.GetValue(Force)) await LockCheck.RequireFreeAsync(context, found, "Nothing was stopped.", cancellationToken, canBeForced: true);
        // EC2 stops none that was asked for once; they keep nothing but images, which others are sent again.
        var spot = found.Instances.Where(instance => instance.IsSpot).ToList();
        var kept = found.Instances.Except(spot).ToList();
        context.BeginChanges(deployment, found);
        if (spot.Count > 0) await deployment.Life.EndAsync(context.Options, spot, context.Progress, cancellationToken);
        if (kept.Count > 0) await deployment.Life.StopAsync(context.Options, kept, context.Progress, cancellationToken);
        context.EndChanges();
        context.Progress.Dispose();
        Write(context, spot, [.. kept.Select(instance => instance with { State = "stopped", PublicAddress = null })], found.Observed);
        return ExitCode.Done;
    }

    private static void Write(CommandContext context, List<ObservedInstance> ended, List<ObservedInstance> instances, ObservedDeployment observed)
    {
        var cost = RunningCost.Of(context.Options, observed with { Instances = instances });
        if (context.Screen.IsJson)
        {
            context.Screen.Json(new
            {
                context.Options.Name,
                context.Options.Region,
                Stopped = instances.Select(instance => instance.Host),
                Ended = ended.Select(instance => instance.Host),
                Addresses = observed.Addresses.Select(address => new { address.Host, address.Address }),
                HourlyUsd = Money.Exact(cost.HourlyUsd),
                UnknownPrices = cost.Unknown,
            });
            return;
        }

        var named = ReportText.Named(context);
        context.Screen.Line(instances.Count == 0 ? $"'{context.Options.Name}' has no hosts." : $"{string.Join(", ", instances.Select(instance => instance.Host))} are stopped.");
        if (ended.Count > 0) context.Screen.Line($"{string.Join(", ", ended.Select(instance => instance.Host))}: spot instances, which EC2 does not stop, so that they are ended, with their disks. 'publish{named}' after 'start{named}' starts others.");
        if (instances.Count == 0) return;
        context.Screen.Line($"  {What(observed)} cost {Money.PerHour(cost, context.Options.Region)}{(cost.MonthlyUsd is { } month ? $" ({Money.Sum(month)} a month)" : "")}. {Addresses(context, observed, named)}");
        context.Screen.Line($"  While they are stopped nothing ends them{(instances.Exists(instance => HostEnd.Of(instance) is not null) ? ", whatever end was set; 'start' asks for another where that has passed" : "")}. 'destroy{named}' removes everything.");
    }

    private static string What(ObservedDeployment observed)
    {
        var parts = new List<string> { "Their disks" };
        if (observed.LooseDisks.Count > 0) parts.Add($"{observed.LooseDisks.Count} of no host");
        if (observed.Addresses.Count > 0) parts.Add(observed.Addresses.Count == 1 ? "the Elastic IP address" : $"{observed.Addresses.Count} Elastic IP addresses");
        return parts.Count == 1 ? parts[0] : $"{string.Join(", ", parts[..^1])} and {parts[^1]}";
    }

    private static string Addresses(CommandContext context, ObservedDeployment observed, string named)
    {
        if (!context.Options.PublicAddresses) return $"'start{named}' starts them again.";
        var kept = string.Join(", ", observed.Addresses.Select(address => $"{address.Address} ({address.Host})"));
        return kept.Length == 0 ? $"Public addresses were given back: 'start{named}' brings others." : $"{kept} stays; other public addresses were given back: 'start{named}' brings others.";
    }
}
