using System.CommandLine;
using Lab.Ec2Deployer.Aws;
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

    /// <summary>Has the command refuse options of all commands that mean nothing to it: one that is taken and not heeded misleads.</summary>
    /// <param name="command">The command.</param>
    /// <param name="why">What it does instead, one sentence.</param>
    /// <param name="options">The options.</param>
    public static Command Refuses(this Command command, string why, params Option[] options)
    {
        command.Validators.Add(result =>
        {
            foreach (var option in options.Where(option => result.GetResult(option) is { Implicit: false }))
                result.AddError($"'{command.Name}' takes no {option.Name}: {why}");
        });
        return command;
    }

    /// <summary>What the command does. Once it has said <see cref="CommandContext.BeginChanges(Ec2Deployment, DeploymentSnapshot, bool)"/>, whatever it fails with tells what runs and costs.</summary>
    public static Command Does(this Command command, CommandEnvironment environment, Func<CommandContext, ParseResult, CancellationToken, Task<ExitCode>> action)
    {
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var context = new CommandContext(parse, environment);
            try
            {
                return (int)await action(context, parse, cancellationToken);
            }
            catch (Exception e)
            {
                if (e.InnerException is HostFailedException { IsUnanswered: true } && !cancellationToken.IsCancellationRequested
                    && await context.ExplainDoorAsync(cancellationToken) is { } door)
                {
                    context.Progress.Note(door);
                }

                if (context.Changes is { } changes) await WhatRuns.JoinAsync(e, context, changes);
                throw;
            }
        });
        return command;
    }
}
