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
        var command = new Command("publish", "Make everything as 'plan' shows it. Changes only what differs; may be interrupted and run again.") { Settings.SshKey };
        return command.WithShape().WithWay().Does(environment, RunAsync);
    }

    /// <summary>Publishes and tells what came of it.</summary>
    /// <param name="context">The command.</param>
    /// <param name="deployment">The deployment at EC2.</param>
    /// <param name="options">What is to exist.</param>
    /// <param name="before">What there was before.</param>
    /// <param name="isCurrent">Whether that still holds; else EC2 is asked again.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public static async Task<ExitCode> PublishAsync(
        CommandContext context, Ec2Deployment deployment, DeploymentOptions options, DeploymentSnapshot before, bool isCurrent, CancellationToken cancellationToken)
    {
        var address = await context.CallerAddressAsync(cancellationToken);
        // Before the first change: whoever interrupts this finds everything again with nothing but the name.
        await context.RememberAsync(options, before, cancellationToken);
        // Whatever this machine cannot keep shall be known now, not on hosts that cost.
        FleetKeys.Open(context.Directory.Path);
        var report = await new PublishOperation(deployment, context.Fleet).RunAsync(options, context.Release, before, isCurrent, address, context.Progress, cancellationToken);
        ReportText.Write(context, report);
        return ExitCode.Done;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
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
