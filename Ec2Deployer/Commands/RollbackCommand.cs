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
        var found = await context.FindAsync(cancellationToken);
        if (parse.GetValue(List))
        {
            var status = await context.Fleet.StatusAsync(found.Hosts, context.Release, cancellationToken);
            if (context.Screen.IsJson) context.Screen.Json(new { status.Version, status.Versions });
            else foreach (var version in status.Versions) context.Screen.Line(version == status.Version ? $"{version}  serves" : version);
            return ExitCode.Done;
        }

        ReportText.Write(context, await context.Fleet.RollbackAsync(found.Hosts, context.Release, parse.GetValue(Version), context.Progress, cancellationToken));
        return ExitCode.Done;
    }
}
