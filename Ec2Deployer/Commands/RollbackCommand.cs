using System.CommandLine;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>rollback</c>: a version kept on the hosts serves again.</summary>
internal static class RollbackCommand
{
    private static readonly Argument<string?> Version = new("version") { Description = "One of those kept [default: the one before]", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> List = new("--list") { Description = "Only show the versions kept." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("rollback", "Put a version kept on the hosts back into service.") { Version, List };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        if (parse.GetValue(List) && parse.GetValue(Version) is not null)
            throw new DeploymentException(ExitCode.Usage, "rollback --list only shows the versions kept, and takes none: leave out one of the two.");
        var found = await context.FindAsync(cancellationToken);
        if (parse.GetValue(List))
        {
            var status = await context.Fleet.StatusAsync(found.Hosts, context.Release, cancellationToken);
            if (context.Screen.IsJson) context.Screen.Json(new { status.Version, status.Versions });
            else foreach (var version in status.Versions) context.Screen.Line(version == status.Version ? $"{version}  serves" : version);
            return ExitCode.Done;
        }

        context.BeginChanges(await context.DeploymentAsync(cancellationToken), found, goesOn: false);
        var report = await context.Fleet.RollbackAsync(found.Hosts, context.Release, parse.GetValue(Version), context.Progress, cancellationToken);
        context.EndChanges();
        await ReportText.WriteAsync(context, report, cancellationToken);
        return ExitCode.Done;
    }
}
