using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>publish</c>: makes everything as <c>plan</c> shows it, and changes nothing that is so already.</summary>
internal static class PublishCommand
{
    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("publish", "Make everything as 'plan' shows it, after a question where hosts are started. Changes only what differs; may be interrupted and run again.") { Settings.Yes, Settings.SshKey };
        return command.WithShape().WithDockerUpgrade().WithWay().Does(environment, RunAsync);
    }

    /// <summary>Checks all that is free to check, asks whether what costs shall be, publishes, and tells what came of it.</summary>
    /// <param name="context">The command.</param>
    /// <param name="deployment">The deployment at EC2.</param>
    /// <param name="options">What is to exist.</param>
    /// <param name="before">What there was before.</param>
    /// <param name="isCurrent">Whether that still holds; else EC2 is asked again.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public static async Task<ExitCode> PublishAsync(
        CommandContext context, Ec2Deployment deployment, DeploymentOptions options, DeploymentSnapshot before, bool isCurrent, CancellationToken cancellationToken)
    {
        // What this machine cannot keep shall be known before there is anything to be kept.
        context.Directory.RequireWritable();
        var address = await context.CallerAddressAsync(cancellationToken);
        var plan = await deployment.PreparePlanAsync(options, address, cancellationToken, isCurrent ? before : null);
        await context.Fleet.BuildAsync(context.Release, context.Progress, cancellationToken);
        Spending.Agree(context, plan);
        if (plan.Starting.Count > 0)
        {
            // The build and the question have taken their time, and what is started is what is missing now.
            var agreed = plan.Starting;
            plan = await deployment.PlanAsync(options, address, cancellationToken);
            if (plan.Starting.Except(agreed).Any()) Spending.Agree(context, plan);
        }

        // Before the first change: whoever interrupts this finds everything again with nothing but the name.
        await context.RememberAsync(options, before, cancellationToken);
        // Whatever this machine cannot keep shall be known now, not on hosts that cost.
        FleetKeys.Open(context.Directory.Path);
        try
        {
            var report = await new PublishOperation(deployment, context.Fleet).RunAsync(plan, context.Release, before, context.Progress, cancellationToken);
            ReportText.Write(context, report);
        }
        catch (Exception e)
        {
            await WhatRuns.JoinAsync(e, context, deployment, plan);
            throw;
        }

        LifeText.AfterPublish(context, plan, before);
        return ExitCode.Done;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        context.Fleet.Check(context.Release);
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await deployment.FindAsync(context.Options, cancellationToken);
        var options = context.OptionsFor(found);
        if (options.Hosts < found.WorkerHosts)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"'{options.Name}' has {found.WorkerHosts} worker hosts and {options.Hosts} are asked for. Nothing was changed. 'scale --hosts {options.Hosts}' drains the others before it ends them.");
        }

        if (parse.GetValue(Settings.SshKey) is { } file) TakeOver(context, file, found);
        return await PublishAsync(context, deployment, options, found, isCurrent: true, cancellationToken);
    }

    private static void TakeOver(CommandContext context, string file, DeploymentSnapshot found)
    {
        if (DeploymentKey.TakeOver(context.Directory, file, found.Instances.Count > 0 ? found.Observed.Key?.PublicKey : null) is { } aside)
            context.Progress.Note($"The SSH key that was on this machine is kept as {aside}.");
    }
}
