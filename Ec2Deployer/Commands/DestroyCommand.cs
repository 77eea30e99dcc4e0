using System.CommandLine;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>destroy</c>: removes everything that carries the deployment's tag, and looks whether anything is left.</summary>
internal static class DestroyCommand
{
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("destroy", "Remove everything: hosts, stopped ones too, disks, security groups, key. Safe to repeat.") { Yes };
        return command.Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var operation = new DestroyOperation(await context.DeploymentAsync(cancellationToken), context.Directory);
        var belongings = await operation.ListAsync(context.Options, cancellationToken);
        if (!belongings.IsNothing)
        {
            if (!context.Screen.IsJson)
            {
                context.Screen.Line($"Of '{context.Options.Name}' in {context.Options.Region} this is removed:");
                context.Screen.Table(["what", "identifier", "", ""],
                    [
                        .. belongings.Instances.Select(instance => (IReadOnlyList<string>)["instance", instance.Id, instance.Host, instance.State]),
                        .. belongings.Volumes.Select(volume => (IReadOnlyList<string>)["disk", volume.Id, volume.Name, ""]),
                        .. belongings.Groups.Select(group => (IReadOnlyList<string>)["security group", group.Id, group.Name, ""]),
                        .. belongings.Key is { } key ? [["key pair", key, "", ""]] : Array.Empty<IReadOnlyList<string>>(),
                    ]);
            }

            if (!parse.GetValue(Yes) && !context.Screen.Confirm("Remove all of it?"))
                throw new DeploymentException(ExitCode.Failed, "Nothing was removed.");
        }

        await operation.RunAsync(context.Options, belongings, context.Progress, cancellationToken);
        context.Progress.Dispose();
        if (context.Screen.IsJson) context.Screen.Json(new { context.Options.Name, context.Options.Region, Removed = belongings.IsNothing ? [] : belongings.ToString().Split(", ") });
        else context.Screen.Line(belongings.IsNothing ? $"There is nothing of '{context.Options.Name}' in {context.Options.Region}." : $"Nothing of '{context.Options.Name}' is left in {context.Options.Region}.");
        return ExitCode.Done;
    }
}
