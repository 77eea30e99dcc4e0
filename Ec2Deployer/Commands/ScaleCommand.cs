using System.CommandLine;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>scale</c>: more worker hosts, which join, or fewer, which are drained before they end.</summary>
internal static class ScaleCommand
{
    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("scale", "More or fewer hosts for workers, as --hosts says. New ones join without a restart; those that go are drained first.");
        command.Add(Settings.Hosts.Option);
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        if (parse.GetResult(Settings.Hosts.Option) is null) throw new DeploymentException(ExitCode.Usage, "scale needs --hosts N: how many hosts for workers there are to be.");
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAsync(cancellationToken);
        var emptied = await new ScaleOperation(context.Fleet).EmptyAsync(found, context.Options.Hosts, context.Release, context.Progress, cancellationToken);
        return await PublishCommand.PublishAsync(context, deployment, context.Options, found, isCurrent: !emptied, cancellationToken);
    }
}
