using System.CommandLine;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>scale</c>: more worker hosts, which join, or fewer, which are drained before they end.</summary>
internal static class ScaleCommand
{
    public static Command Create(Surroundings surroundings)
    {
        var command = new Command("scale", "More or fewer hosts for workers. New ones join without a restart; those that go are drained first.");
        command.Add(Settings.Hosts.Option);
        return command.WithWay().Does(surroundings, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        if (parse.GetResult(Settings.Hosts.Option) is null) throw new DeploymentException(ExitCode.Usage, "scale needs --hosts N: how many hosts for workers there are to be.");
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAsync(cancellationToken);
        // The highest numbers go, so that managers, which have the lowest, stay.
        for (var number = found.WorkerHosts; number > context.Options.Hosts; number--)
        {
            var name = FleetShape.WorkerHost(number);
            if (found.Hosts.Any(host => host.Name == name)) await context.Fleet.DrainHostAsync(found.Hosts, context.Release, name, context.Progress, cancellationToken);
            await context.Fleet.RemoveHostAsync(found.Hosts, context.Release, name, context.Progress, cancellationToken);
        }

        FleetWork.Write(context, await FleetWork.PublishAsync(context, deployment, found, cancellationToken));
        return ExitCode.Done;
    }
}
