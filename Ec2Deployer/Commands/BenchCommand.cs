using System.CommandLine;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>bench</c>: load on the deployment.</summary>
internal static class BenchCommand
{
    public static Command Create(Surroundings surroundings) =>
        new Command("bench", "Run the load generator against the deployment.").WithWay().Does(surroundings, RunAsync);

    // The load generator measures local processes only, so far: to say so is better than to measure something else.
    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var found = await context.FindAsync(cancellationToken);
        throw new DeploymentException(ExitCode.Failed,
            $"The load generator cannot measure a deployment yet. Any other can: the orchestrator is at http://{found.Hosts[0].SshAddress}/new_request, and the API key is where 'publish' said.");
    }
}
