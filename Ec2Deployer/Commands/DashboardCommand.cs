using System.CommandLine;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>dashboard</c>: opens Aspire's dashboard to a browser of this machine, through SSH, until Ctrl-C.</summary>
internal static class DashboardCommand
{
    private static readonly Option<int> Port = new("--port") { Description = "Port of this machine [default: one that is free]", HelpName = "PORT" };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("dashboard", "Open Aspire's dashboard, which 'publish --dashboard yes' puts there, to a browser of this machine, through SSH, until Ctrl-C.") { Port };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var port = parse.GetValue(Port);
        if (port is < 0 or > 65535) throw new DeploymentException(ExitCode.Usage, "--port: from 1 to 65535, or 0 for one that is free.");
        if (!context.Options.Dashboard)
            throw new DeploymentException(ExitCode.Failed, $"'{context.Options.Name}' has no dashboard: 'publish --dashboard yes' puts one on the orchestrator's host.");
        var found = await context.FindAsync(cancellationToken);
        await using var tunnel = await context.Fleet.OpenDashboardAsync(found.Hosts, context.Release, port, cancellationToken);
        if (context.Screen.IsJson) context.Screen.JsonLine(new { tunnel.Address });
        else context.Screen.Line(tunnel.Address.AbsoluteUri);
        context.Progress.Note("The address lets in whoever has it, from this machine alone, until Ctrl-C closes the way.");
        try
        {
            await tunnel.WatchAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The only way to end it is no failure.
        }

        return ExitCode.Done;
    }
}
