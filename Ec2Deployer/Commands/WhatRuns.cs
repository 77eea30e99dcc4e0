using System.Globalization;
using Amazon.EC2;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary>
/// What a command that failed leaves running and what that costs, by what EC2 shows then: joined to whatever exception it
/// fails with, and said after that one's own words.
/// </summary>
internal static class WhatRuns
{
    private const string Key = "Lab.WhatRuns";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>What was joined to the exception, or null.</summary>
    public static string? Of(Exception? exception) => exception?.Data[Key] as string;

    /// <summary>Asks EC2 what runs and joins it to the exception. Never fails itself, and takes five seconds at most.</summary>
    /// <param name="exception">What the command fails with.</param>
    /// <param name="context">The command.</param>
    /// <param name="changes">What it has begun to change.</param>
    public static async Task JoinAsync(Exception exception, CommandContext context, Changes changes)
    {
        // A token of its own: the command's may be what has ended it.
        using var limit = new CancellationTokenSource(Patience, context.Time);
        try
        {
            var found = await changes.Deployment.FindAsync(context.Options, limit.Token).WaitAsync(limit.Token);
            // Where EC2 has answered with a refusal, what was being started is not on its way.
            var uncertain = exception.InnerException is AmazonEC2Exception ? [] : context.Directory.ReadState().Launching.Keys.Except(found.Instances.Select(instance => instance.Host)).ToList();
            exception.Data[Key] = Text(context, found.Observed, uncertain, changes.GoesOn);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var known = changes.Instances().ToList();
            exception.Data[Key] = known.Count == 0
                ? $"EC2 does not say now whether hosts run: 'status{ReportText.Named(context)}' tells."
                : $"EC2 does not say now what runs; {string.Join(", ", known)} may, and cost money until {Destroy(context)}. 'status{ReportText.Named(context)}' tells.";
        }
    }

    private static string Text(CommandContext context, ObservedDeployment observed, List<string> uncertain, bool goesOn)
    {
        var running = observed.Instances.Where(RunningCost.IsRunning).ToList();
        var others = observed.Instances.Except(running).ToList();
        var started = uncertain.Count == 0 ? "" : $"{string.Join(", ", uncertain)}, which EC2 does not list yet, may have been started{(running.Count == 0 ? $" and costs money until {Destroy(context)}" : "")}. ";
        var loose = observed.LooseAddresses.Count;
        var disks = others.Count + observed.LooseDisks.Count == 0 ? ""
            : $"The disks{(others.Exists(instance => instance.ElasticAddress is not null) ? " and Elastic IP addresses" : "")} of {(others.Count == 0 ? "no host" : string.Join(", ", others.Select(instance => instance.Host).Order(StringComparer.Ordinal)) + (observed.LooseDisks.Count == 0 ? "" : " and of no host"))} cost {Money.PerHour(RunningCost.Of(context.Options, others, observed.LooseDisks), context.Options.Region)}. ";
        if (loose > 0) disks += string.Create(CultureInfo.InvariantCulture, $"{(loose == 1 ? "An Elastic IP address" : $"{loose} Elastic IP addresses")} of no host {(loose == 1 ? "costs" : "cost")} {Money.PerHour(RunningCost.Of(context.Options, [], [], looseAddresses: loose), context.Options.Region)} until {Destroy(context)}. ");
        if (running.Count == 0) return (started.Length == 0 ? $"No host runs. {disks}" : started + disks).TrimEnd();
        var price = Money.PerHour(RunningCost.Of(context.Options, running, []), context.Options.Region);
        return string.Create(CultureInfo.InvariantCulture, $"{running.Count} {(running.Count == 1 ? "host runs" : "hosts run")} at {price}: {string.Join(", ", running.Select(instance => instance.Host).Order(StringComparer.Ordinal))}. {started}{disks}")
            + $"{(goesOn ? "The same command goes on where this one stopped; " : "")}{Destroy(context)} ends them.";
    }

    private static string Destroy(CommandContext context) => $"'destroy{ReportText.Named(context)}'";
}
