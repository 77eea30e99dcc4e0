using System.CommandLine;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Puts commands together.</summary>
internal static class CommandExtensions
{
    /// <summary>Adds the options that describe the deployment's shape.</summary>
    public static Command WithShape(this Command command)
    {
        command.Add(Settings.Hosts.Option);
        foreach (var setting in Settings.Shape) command.Add(setting.Option);
        command.Add(Settings.Subnet);
        command.Add(Settings.Replace);
        command.Add(Settings.Tag);
        return command;
    }

    /// <summary>Adds the option to upgrade Docker.</summary>
    public static Command WithDockerUpgrade(this Command command)
    {
        command.Add(Settings.UpgradeDocker);
        return command;
    }

    /// <summary>Adds the options for the way to the hosts.</summary>
    public static Command WithWay(this Command command)
    {
        foreach (var setting in Settings.Way) command.Add(setting.Option);
        command.Add(Settings.AcceptNewHostKey);
        return command;
    }

    /// <summary>What the command does.</summary>
    public static Command Does(this Command command, CommandEnvironment environment, Func<CommandContext, ParseResult, CancellationToken, Task<ExitCode>> action)
    {
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var context = new CommandContext(parse, environment);
            try
            {
                return (int)await action(context, parse, cancellationToken);
            }
            catch (DeploymentException e) when (e.InnerException is HostFailedException { IsUnanswered: true } && !cancellationToken.IsCancellationRequested)
            {
                if (await context.ExplainDoorAsync(cancellationToken) is { } door) context.Progress.Note(door);
                throw;
            }
        });
        return command;
    }
}
