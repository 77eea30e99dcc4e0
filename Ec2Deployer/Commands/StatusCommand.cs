using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>status</c>: hosts and containers as they are, what is gone, what it has cost.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Again every five seconds, until Ctrl-C; with --json one object a line." };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("status", "What it costs, has cost, and when it ends; hosts, containers, versions, health, uptime.") { Watch };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        while (true)
        {
            StatusPicture picture;
            try
            {
                var found = await context.FindAnyAsync(cancellationToken);
                picture = StatusPicture.Of(context, found, await AskAsync(context, found, cancellationToken));
            }
            catch (OperationCanceledException) when (parse.GetValue(Watch) && cancellationToken.IsCancellationRequested)
            {
                // The only way to end it is no failure.
                return ExitCode.Done;
            }

            Show(context, picture, parse.GetValue(Watch));
            if (picture.Status.Hosts.Any(host => host.IsUnanswered) && !parse.GetValue(Watch) && await context.ExplainDoorAsync(cancellationToken) is { } door) context.Progress.Note(door);
            if (!parse.GetValue(Watch)) return picture.IsWell ? ExitCode.Done : ExitCode.HostFailed;
            try
            {
                await Task.Delay(Interval, context.Time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return ExitCode.Done;
            }
        }
    }

    private static void Show(CommandContext context, StatusPicture picture, bool watch)
    {
        if (context.Screen.IsJson && watch) context.Screen.JsonLine(picture.Document());
        else if (context.Screen.IsJson) context.Screen.Json(picture.Document());
        else if (watch && context.Screen.CanRedraw) context.Screen.Redraw(picture.Write);
        else picture.Write(context.Screen);
    }

    /// <summary>What the hosts say. Whatever keeps them from it, what EC2 says is shown, above all what costs.</summary>
    public static async Task<FleetStatus> AskAsync(CommandContext context, DeploymentSnapshot found, CancellationToken cancellationToken)
    {
        // Without a key there is no way in: what EC2 tells is told all the same.
        if (found.Hosts.Count == 0 || !File.Exists(context.Directory.PrivateKeyFile)) return FleetStatus.Unknown;
        try
        {
            return await context.Fleet.StatusAsync(found.Hosts, context.Release, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            context.Progress.Note($"The hosts cannot be asked: {e.Message}");
            return FleetStatus.Unknown;
        }
    }
}
