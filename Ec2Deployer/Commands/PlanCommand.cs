using System.CommandLine;
using Lab.Ec2Deployer.Planning;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>plan</c>: what <c>publish</c> would do. Changes nothing anywhere.</summary>
internal static class PlanCommand
{
    public static Command Create(Surroundings surroundings) =>
        new Command("plan", "Show hosts, containers, ports, costs, and every change that 'publish' would make. Needs no AWS account.")
            .WithShape().WithWay().Does(surroundings, RunAsync);

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var plan = await PlanAsync(context, cancellationToken);
        var images = context.Fleet.PlanImages(context.Release);
        var remote = context.Verbose ? context.Fleet.PlanRemote([.. plan.Hosts.Select(host => host.Symbolic(plan.Options))], context.Release) : [];
        if (context.Screen.IsJson) context.Screen.Json(PlanDocument.Of(plan, images, context.Verbose, remote));
        else new PlanText(context.Screen, plan).Write(images, context.Verbose, remote);
        return ExitCode.Done;
    }

    private static async Task<DeploymentPlan> PlanAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (await context.TryDeploymentAsync(cancellationToken) is not { } deployment)
            return DeploymentPlanner.Plan(context.Options, ObservedDeployment.Unknown, new CallerFacts(null, Aws.DeploymentKey.PublicKey(context.Directory)));

        context.KeepSize(await deployment.FindAsync(context.Options, cancellationToken));
        return await deployment.PlanAsync(context.Options, await context.CallerAddressAsync(cancellationToken), cancellationToken);
    }
}
