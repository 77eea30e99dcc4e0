using System.CommandLine;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>unlock</c>: breaks the lock that an interrupted deployer left behind.</summary>
internal static class UnlockCommand
{
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Do not ask." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("unlock", "Break the lock that an interrupted deployer left behind.") { Yes };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var found = await context.FindAsync(cancellationToken);
        var held = (await context.Fleet.StatusAsync(found.Hosts, context.Release, cancellationToken)).Lock;
        if (held is not null)
        {
            var age = Durations.Text(context.Time.GetUtcNow() - held.Since);
            if (!parse.GetValue(Yes) && !context.Screen.Confirm($"{held.Owner} has held the lock for {age} ('{held.What}'). Break it? Only if that is over."))
                throw new DeploymentException(ExitCode.Locked, "The lock was left as it is.");
            held = await context.Fleet.UnlockAsync(found.Hosts, context.Release, cancellationToken);
            if (held is not null) context.Progress.Audit("unlock", $"{held.Owner} {held.What}");
        }

        if (context.Screen.IsJson) context.Screen.Json(new { Broken = held });
        else context.Screen.Line(held is null ? "There is no lock." : $"The lock of {held.Owner} is broken.");
        return ExitCode.Done;
    }
}
