using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>logs</c>: what the containers wrote.</summary>
internal static class LogsCommand
{
    private static readonly Option<string?> Container = new("--worker", "--container") { Description = "Of one container: worker-3, or orchestrator [default: of all]", HelpName = "NAME" };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with new lines, until Ctrl-C." };
    private static readonly Option<int> Tail = new("--tail", "-n") { Description = "So many of the newest lines of each container.", DefaultValueFactory = _ => 100, HelpName = "N" };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("logs", "What the containers wrote. With --json one object a line.") { Container, Follow, Tail };
        return command.WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        if (parse.GetValue(Tail) < 0) throw new DeploymentException(ExitCode.Usage, "--tail: 0 or more lines.");
        var found = await context.FindAsync(cancellationToken);
        var container = parse.GetValue(Container);
        var names = Names(context.Options, found);
        if (container is not null && !Names(context.Options with { Orchestrators = FleetShape.SeveralOrchestrators }, found).Contains(container))
            throw new DeploymentException(ExitCode.Usage, $"There is no container '{container}'. There are {string.Join(", ", names)}.");
        var request = new LogsRequest(container, parse.GetValue(Tail), parse.GetValue(Follow));
        try
        {
            await foreach (var line in context.Fleet.LogsAsync(found.Hosts, context.Release, request, cancellationToken))
            {
                if (context.Screen.IsJson) context.Screen.JsonLine(line);
                else context.Screen.Line(container is null ? $"{line.Container,-14} {line.Text}" : line.Text);
            }
        }
        catch (OperationCanceledException) when (request.Follow && cancellationToken.IsCancellationRequested)
        {
            // The only way to end it is no failure.
        }

        return ExitCode.Done;
    }

    private static List<string> Names(DeploymentOptions options, DeploymentSnapshot found) =>
        [.. FleetShape.Containers(options with { Hosts = Math.Max(1, found.WorkerHosts) }).Select(planned => planned.Name)];
}
