using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>plan</c>: what <c>publish</c> would do. Changes nothing anywhere.</summary>
internal static class PlanCommand
{
    private static readonly Option<bool> Offline = new("--offline") { Description = "Do not ask EC2 what exists, even where there are credentials." };
    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Write the plan into this directory too: plan.txt, plan.json (as with --verbose), stack.yml, cloud-init/HOST.yaml. No secret is in them.",
        HelpName = "DIR",
    };

    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("plan", "Show hosts, containers, ports, costs, and every change that 'publish' would make. Needs no AWS account.") { Offline, Output };
        return command.WithShape().WithWay().Does(environment, RunAsync);
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        // What 'publish' refuses without asking AWS, it is not to be planned with.
        context.Fleet.Check(context.Release);
        context.Directory.RequireWritable();
        FleetKeys.Check(context.Directory.Path);
        var plan = await PlanAsync(context, parse.GetValue(Offline), cancellationToken);
        var release = context.Release with { Architecture = plan.Architecture };
        var images = context.Fleet.PlanImages(release);
        var remote = context.Fleet.PlanRemote([.. plan.Hosts.Select(host => host.Symbolic(plan.Options))], release);
        // Before anything is printed: where files cannot be written, that is all there is to read.
        if (parse.GetValue(Output) is { } directory)
        {
            new PlanFiles(directory).Write(
                plan, context.Screen.Text(Write), Screen.JsonText(PlanDocument.Of(plan, images, verbose: true, remote)) + "\n", context.Fleet.PlanStack(release));
        }

        if (context.Screen.IsJson) context.Screen.Json(PlanDocument.Of(plan, images, context.Verbose, remote));
        else Write(context.Screen);
        return ExitCode.Done;

        void Write(Screen screen) => new PlanText(screen, plan).Write(images, context.Verbose, remote);
    }

    private static async Task<DeploymentPlan> PlanAsync(CommandContext context, bool offline, CancellationToken cancellationToken)
    {
        Ec2Deployment? deployment = null;
        string? why = null;
        try
        {
            if (!offline && (deployment = await context.TryDeploymentAsync(cancellationToken)) is null) why = "No AWS credentials were found.";
        }
        catch (DeploymentException e) when (e.Code == ExitCode.AwsRefused && !context.HasCredentials)
        {
            // What a plan shows without an account, it shows with one that does not open too.
            why = e.Message.Replace(" Nothing was changed.", "", StringComparison.Ordinal);
        }

        if (deployment is null)
        {
            var plan = DeploymentPlanner.Plan(context.Options with { Owner = context.Options.Owner ?? "<you>" }, ObservedDeployment.Unknown, new CallerFacts(null, DeploymentKey.PublicKey(context.Directory)));
            return why is null ? plan : plan with { Notes = [$"EC2 was not asked what exists. {why}", .. plan.Notes] };
        }

        var found = await deployment.FindAsync(context.Options, cancellationToken);
        string? address = null;
        try
        {
            address = await context.CallerAddressAsync(cancellationToken);
        }
        catch (DeploymentException e) when (e.Code == ExitCode.Failed)
        {
            // A plan may leave it open; 'publish' may not.
        }

        return await deployment.PlanAsync(context.OptionsFor(found), address, cancellationToken, found);
    }
}
