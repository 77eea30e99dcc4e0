using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>scale</c>: more worker hosts, which join, or fewer, which are drained before they end.</summary>
internal static class ScaleCommand
{
    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("scale", "More or fewer hosts for workers, as --hosts says. New ones join without a restart; those that go are drained first.");
        command.Add(Settings.HostsToScale);
        command.Add(Settings.Yes);
        return command.WithSpot().WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(parse.GetValue(Settings.HostsToScale))) throw new DeploymentException(ExitCode.Usage, "scale needs --hosts N: how many hosts for workers there are to be.");
        context.Fleet.Check(context.Release);
        context.Directory.RequireWritable();
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAnyAsync(cancellationToken);
        if (found.Instances.FirstOrDefault(instance => instance.State is "stopped" or "stopping") is { } stopped)
            throw new DeploymentException(ExitCode.HostFailed, $"{stopped.Host} is {stopped.State}. Nothing was changed. Start the hosts with 'start' first.");
        // What can fail, and what may be declined, comes before work is taken off a host.
        return await PublishCommand.PublishAsync(context, deployment, context.Options, found, cancellationToken, found.WorkerHosts > context.Options.Hosts ? EmptyAsync : null);

        async Task<DeploymentSnapshot> EmptyAsync()
        {
            // A first publish may have broken off before it had read the keys: formation goes on from there.
            var pinned = await deployment.PinAsync(context.Options, found, context.Progress, cancellationToken);
            await new ScaleOperation(context.Fleet).EmptyAsync(pinned, context.Options.Hosts, context.Release, context.Progress, cancellationToken);
            return pinned;
        }
    }
}
