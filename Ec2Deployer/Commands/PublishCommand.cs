using System.CommandLine;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>publish</c>: makes everything as <c>plan</c> shows it, and changes nothing that is so already.</summary>
internal static class PublishCommand
{
    public static Command Create(Surroundings surroundings) =>
        new Command("publish", "Make everything as 'plan' shows it. Changes only what differs; may be interrupted and run again.")
            .WithShape().WithWay().Does(surroundings, RunAsync);

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await deployment.FindAsync(context.Options, cancellationToken);
        context.KeepSize(found);
        if (context.Options.Hosts < found.WorkerHosts)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"'{context.Options.Name}' has {found.WorkerHosts} worker hosts and {context.Options.Hosts} are asked for. Nothing was changed. 'scale --hosts {context.Options.Hosts}' drains the others before it ends them.");
        }

        var report = await FleetWork.PublishAsync(context, deployment, found, cancellationToken);
        FleetWork.Write(context, report);
        return ExitCode.Done;
    }
}
