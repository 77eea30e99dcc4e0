using System.CommandLine;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>plan</c>: what <c>publish</c> would do. Changes nothing anywhere.</summary>
internal static class PlanCommand
{
    private static readonly Option<bool> Offline = new("--offline") { Description = "Do not ask EC2 what exists, even where there are credentials." };

    public static Command Create(Surroundings surroundings)
    {
        var command = new Command("plan", "Show hosts, containers, ports, costs, and every change that 'publish' would make. Needs no AWS account.") { Offline };
        return command.WithShape().WithWay().Does(surroundings, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var plan = await PlanAsync(context, parse.GetValue(Offline), cancellationToken);
        var images = context.Fleet.PlanImages(context.Release);
        var remote = context.Verbose ? context.Fleet.PlanRemote([.. plan.Hosts.Select(host => host.Symbolic(plan.Options))], context.Release) : [];
        if (context.Screen.IsJson) context.Screen.Json(PlanDocument.Of(plan, images, context.Verbose, remote));
        else new PlanText(context.Screen, plan).Write(images, context.Verbose, remote);
        return ExitCode.Done;
    }

    private static async Task<DeploymentPlan> PlanAsync(CommandContext context, bool offline, CancellationToken cancellationToken)
    {
        if (offline || await context.TryDeploymentAsync(cancellationToken) is not { } deployment)
            return DeploymentPlanner.Plan(context.Options, ObservedDeployment.Unknown, new CallerFacts(null, Aws.DeploymentKey.PublicKey(context.Directory)));

        context.KeepSize(await deployment.FindAsync(context.Options, cancellationToken));
        string? address = null;
        try
        {
            address = await context.CallerAddressAsync(cancellationToken);
        }
        catch (DeploymentException e) when (e.Code == ExitCode.Failed)
        {
            // A plan may leave it open; 'publish' may not.
        }

        return await deployment.PlanAsync(context.Options, address, cancellationToken);
    }
}
