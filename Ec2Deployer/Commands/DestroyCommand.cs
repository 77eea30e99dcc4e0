using System.CommandLine;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>destroy</c>: removes everything that carries the deployment's tag, and looks whether anything is left.</summary>
internal static class DestroyCommand
{
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };
    private static readonly Option<bool> Force = new("--force") { Description = "Even while another deployer is at work." };
    private static readonly Option<bool> Forget = new("--forget") { Description = "Remove what EC2 shows, and the keys on this machine, even where none of the hosts that it knows is to be seen." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("destroy", "Remove everything: hosts, stopped ones too, disks, security groups, key. Safe to repeat.") { Yes, Forget, Force };
        return command.Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var deployment = await context.DeploymentAsync(cancellationToken);
        var operation = new DestroyOperation(deployment, context.Directory, parse.GetValue(Forget) || await context.IsItsPlaceAsync(cancellationToken));
        var belongings = await operation.ListAsync(context.Options, cancellationToken, context.Progress);
        if (operation.HostsElsewhere(belongings) is { } elsewhere)
        {
            throw new DeploymentException(ExitCode.AwsRefused,
                $"EC2 shows a '{context.Options.Name}' in {context.Options.Region} with another SSH key{(elsewhere.Count == 0 ? " than this machine's" : $" and none of the hosts that this machine knows ({string.Join(", ", elsewhere)})")}: it may be somebody else's. Nothing was removed. Take the credentials by which yours was published; 'destroy --forget' removes what EC2 shows here, and your keys.");
        }

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
                        .. belongings.Addresses.Select(address => (IReadOnlyList<string>)["Elastic IP", address.Id, address.Name, ""]),
                        .. belongings.Key is { } key ? [["key pair", key, "", ""]] : Array.Empty<IReadOnlyList<string>>(),
                    ]);
            }

            if (!parse.GetValue(Yes)) context.Screen.RequireSomebody();
            if (!parse.GetValue(Force) && belongings.Instances.Count > 0)
                await LockCheck.RequireFreeAsync(context, await deployment.FindAsync(context.Options, cancellationToken), "Nothing was removed.", cancellationToken, canBeForced: true);
            if (!parse.GetValue(Yes) && !context.Screen.Confirm("Remove all of it?"))
                throw new DeploymentException(ExitCode.Failed, "Nothing was removed.");
        }

        var kept = !context.Directory.IsEmpty;
        if (!belongings.IsNothing) context.BeginChanges(deployment, () => belongings.Instances.Select(instance => instance.Id));
        var left = await operation.RunAsync(context.Options, belongings, context.Progress, cancellationToken);
        context.EndChanges();
        if (left is { } doubt)
        {
            throw new DeploymentException(ExitCode.Failed,
                $"{(belongings.IsNothing ? "Nothing" : "Nothing any more")} of '{context.Options.Name}' is in {context.Options.Region}, but {doubt}: they may run on in another region or account. Keys and state stay in {context.Directory.Path}. Run 'list' with each account's credentials; 'destroy --forget' deletes them where you are sure.");
        }

        context.Progress.Dispose();
        if (context.Screen.IsJson) context.Screen.Json(new { context.Options.Name, context.Options.Region, Removed = belongings.IsNothing ? [] : belongings.ToString().Split(", ") });
        else context.Screen.Line(belongings.IsNothing ? $"There is nothing of '{context.Options.Name}' in {context.Options.Region}.{(kept ? " Its keys on this machine are deleted." : "")}" : $"Nothing of '{context.Options.Name}' is left in {context.Options.Region}.");
        return ExitCode.Done;
    }
}
