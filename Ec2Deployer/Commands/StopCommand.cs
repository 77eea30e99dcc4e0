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
        var command = new Command("stop", "Switch the hosts off, overnight say: only their disks cost then. Requests under way may be cut off; jobs, keys and versions stay.") { Force };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAnyAsync(cancellationToken);
        // Hosts that say nothing are stopped as well: they cost as much.
        if (!parse.GetValue(Force)) await LockCheck.RequireFreeAsync(context, found, "Nothing was stopped.", cancellationToken, canBeForced: true);
        context.BeginChanges(deployment, found);
        if (found.Instances.Count > 0) await deployment.Life.StopAsync(context.Options, found.Instances, context.Progress, cancellationToken);
        context.EndChanges();
        context.Progress.Dispose();
        Write(context, [.. found.Instances.Select(instance => instance with { State = "stopped", PublicAddress = null })], found.Observed.LooseDisks);
        return ExitCode.Done;
    }

    private static void Write(CommandContext context, List<ObservedInstance> instances, IReadOnlyList<ObservedDisk> looseDisks)
    {
        var cost = RunningCost.Of(context.Options, instances, looseDisks);
        if (context.Screen.IsJson)
        {
            context.Screen.Json(new { context.Options.Name, context.Options.Region, Stopped = instances.Select(instance => instance.Host), HourlyUsd = Money.Exact(cost.HourlyUsd), UnknownPrices = cost.Unknown });
            return;
        }

        var named = ReportText.Named(context);
        context.Screen.Line(instances.Count == 0 ? $"'{context.Options.Name}' has no hosts." : $"{string.Join(", ", instances.Select(instance => instance.Host))} are stopped.");
        if (instances.Count == 0) return;
        context.Screen.Line($"  {(looseDisks.Count == 0 ? "Their disks" : $"Their disks, and {looseDisks.Count} of no host,")} cost {Money.PerHour(cost, context.Options.Region)}{(cost.MonthlyUsd is { } month ? $" ({Money.Sum(month)} a month)" : "")}. {(context.Options.PublicAddresses ? $"Public addresses were given back: 'start{named}' brings others." : $"'start{named}' starts them again.")}");
        context.Screen.Line($"  While they are stopped nothing ends them{(instances.Exists(instance => HostEnd.Of(instance) is not null) ? ", whatever end was set; 'start' asks for another where that has passed" : "")}. 'destroy{named}' removes everything.");
    }
}
