using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>publish</c>: makes everything as <c>plan</c> shows it, and changes nothing that is so already.</summary>
internal static class PublishCommand
{
    public static Command Create(CommandEnvironment environment)
    {
        var command = new Command("publish", "Make everything as 'plan' shows it, after a question where hosts are started. Changes only what differs; may be interrupted and run again.") { Settings.Yes, Settings.SshKey };
        return command.WithShape().WithDockerUpgrade().WithWay().Does(environment, RunAsync);
    }

    /// <summary>Checks all that is free to check, asks whether what costs shall be, publishes, and tells what came of it.</summary>
    /// <param name="context">The command.</param>
    /// <param name="deployment">The deployment at EC2.</param>
    /// <param name="options">What is to exist.</param>
    /// <param name="before">What there was before.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <param name="empty">Takes work off hosts that are to go, once all is checked and agreed to, and gives what there is then; null: none goes.</param>
    public static async Task<ExitCode> PublishAsync(
        CommandContext context, Ec2Deployment deployment, DeploymentOptions options, DeploymentSnapshot before, CancellationToken cancellationToken,
        Func<Task<DeploymentSnapshot>>? empty = null)
    {
        await LockCheck.RequireFreeAsync(context, before, "Nothing was changed.", cancellationToken);
        // What this machine cannot keep shall be known before there is anything to be kept.
        context.Directory.RequireWritable();
        FleetKeys.Check(context.Directory.Path);
        var address = await context.CallerAddressAsync(cancellationToken);
        var plan = await deployment.PreparePlanAsync(options, address, cancellationToken, before);
        if (options.Dashboard && plan.Architecture != HostArchitecture.X64)
            throw new DeploymentException(ExitCode.Usage, "--dashboard yes: its image is made for x86-64 hosts alone, and those of this deployment have Arm processors. Nothing was changed.");
        // Whichever type is asked for, it is the hosts' processors that count; and spot instances of before want to hear of
        // their end whatever is asked for now.
        var release = context.Release with { Architecture = plan.Architecture, SpotNotices = options.Spot || before.Instances.Any(instance => instance.IsSpot) };
        await context.Fleet.BuildAsync(release, context.Progress, cancellationToken);
        Spending.Agree(context, plan);
        var agreed = plan.Starting;
        // The build and the question have taken their time, and what is started is what is missing now.
        if (agreed.Count > 0) plan = await PlanAgainAsync();

        // Before the first change: whoever interrupts this finds everything again with nothing but the name.
        await context.RememberAsync(options, before, cancellationToken);
        if (deployment.KeepKey() is { } aside) context.Progress.Note($"The SSH key that was on this machine is kept as {aside}.");
        // Whatever this machine cannot keep shall be known now, not on hosts that cost.
        FleetKeys.Open(context.Directory.Path);
        context.BeginChanges(deployment, () => plan.Hosts.Select(host => host.InstanceId ?? plan.Ids[host.Name]).Where(id => !Ec2Ids.IsSymbolic(id)));
        if (empty is not null)
        {
            before = await empty();
            plan = await PlanAgainAsync();
        }

        var report = await new PublishOperation(deployment, context.Fleet).RunAsync(plan, release, before, context.Progress, cancellationToken);
        await ReportText.WriteAsync(context, report, cancellationToken);
        context.EndChanges();
        LifeText.AfterPublish(context, plan, before);
        return ExitCode.Done;

        async Task<DeploymentPlan> PlanAgainAsync()
        {
            var again = await deployment.PlanAsync(options, address, cancellationToken);
            if (again.Starting.Except(agreed).Any()) Spending.Agree(context, again);
            agreed = again.Starting;
            return again;
        }
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        context.Fleet.Check(context.Release);
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await deployment.FindAsync(context.Options, cancellationToken);
        var options = context.OptionsFor(found);
        if (options.Hosts < found.WorkerHosts)
        {
            throw new DeploymentException(ExitCode.Usage,
                $"'{options.Name}' has {found.WorkerHosts} worker hosts and {options.Hosts} are asked for. Nothing was changed. 'scale --hosts {options.Hosts}' drains the others before it ends them.");
        }

        if (parse.GetValue(Settings.SshKey) is { } file)
        {
            if (PlainFile.Problem(file) is { } problem) throw new DeploymentException(ExitCode.Usage, $"{Settings.SshKey.Name} {file} cannot be used: {problem}. Nothing was changed.");
            deployment.Bring(DeploymentKey.Read(file, found.Instances.Count > 0 ? found.Observed.Key?.PublicKey : null));
        }

        return await PublishAsync(context, deployment, options, found, cancellationToken);
    }
}
