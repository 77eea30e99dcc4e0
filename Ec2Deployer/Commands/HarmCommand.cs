using System.CommandLine;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Commands;

/// <summary>
/// <c>harm</c>: what the load generator calls to kill, freeze and slow workers on their hosts, in its own words:
/// <c>harm kill|freeze|slow|thaw NAME HOST PORT</c>. Not for people, and in no list of commands.
/// </summary>
internal static class HarmCommand
{
    /// <summary>Its name.</summary>
    public const string Verb = "harm";

    private static readonly Argument<Harm> Kind = new("kind") { Description = "kill, freeze, slow; or thaw, which undoes the two before." };
    private static readonly Argument<string> Worker = new("worker") { Description = "Such as worker-3." };
    // A deployment's names say where they are.
    private static readonly Argument<string[]> Place = new("place") { Description = "Host and port, which are passed over.", Arity = new(0, 2) };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command(Verb, "Harm a worker, as bench faults does.") { Kind, Worker, Place };
        command.Hidden = true;
        return command.WithWay().Does(environment, RunAsync).Refuses("it has no results.", Settings.Json);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var worker = parse.GetValue(Worker)!;
        if (!worker.StartsWith("worker-", StringComparison.Ordinal)) throw new DeploymentException(ExitCode.Usage, $"'{worker}' is no worker: worker-1, worker-2, …");
        var found = await context.FindAsync(cancellationToken);
        await context.Fleet.HarmAsync(found.Hosts, context.Release, new(parse.GetValue(Kind), worker), cancellationToken);
        context.Progress.Audit(parse.GetValue(Kind).ToString().ToLowerInvariant(), worker);
        return ExitCode.Done;
    }
}
