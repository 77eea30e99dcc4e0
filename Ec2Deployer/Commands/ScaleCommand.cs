using System.CommandLine;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>scale</c>: more worker hosts, which join, or fewer, which are drained before they end.</summary>
internal static class ScaleCommand
{
    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("scale", "More or fewer hosts for workers. New ones join without a restart; those that go are drained first.");
        command.Add(Settings.Hosts.Option);
        command.Add(Settings.Yes);
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        if (parse.GetResult(Settings.Hosts.Option) is null) throw new DeploymentException(ExitCode.Usage, "scale needs --hosts N: how many hosts for workers there are to be.");
        context.Fleet.Check(context.Release);
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAsync(cancellationToken);
        // What can fail fails before work is taken off a host.
        if (found.WorkerHosts > context.Options.Hosts) await context.Fleet.BuildAsync(context.Release, context.Progress, cancellationToken);
        var emptied = await new ScaleOperation(context.Fleet).EmptyAsync(found, context.Options.Hosts, context.Release, context.Progress, cancellationToken);
        return await PublishCommand.PublishAsync(context, deployment, context.Options, found, isCurrent: !emptied, cancellationToken);
    }
}
