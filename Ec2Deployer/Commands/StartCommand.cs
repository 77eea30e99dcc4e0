using System.CommandLine;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Fleet;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary><c>start</c>: hosts that were stopped run again, with what they had.</summary>
internal static class StartCommand
{
    public static Command Create(CommandEnvironment environment) =>
        new Command("start", "Start hosts that were stopped, wait until all is healthy, and show the address. May be interrupted and run again.")
            .WithWay().Does(environment, RunAsync);

    private static async Task<ExitCode> RunAsync(CommandContext context, ParseResult parse, CancellationToken cancellationToken)
    {
        var deployment = await context.DeploymentAsync(cancellationToken);
        var found = await context.FindAnyAsync(cancellationToken);
        if (found.Instances.Count == 0)
            throw new DeploymentException(ExitCode.Failed, $"'{context.Options.Name}' has no hosts that could be started: 'publish' makes them.");
        Ec2Life.RequireAhead(context.Options, found.Instances.Where(instance => instance.State is "stopped" or "stopping"), context.Time.GetUtcNow());
        await LockCheck.RequireFreeAsync(context, found, "Nothing was started.", cancellationToken);
        var running = RunningCost.Of(context.Options, [.. found.Instances.Select(instance => instance.State is "running" ? instance : instance with { State = "pending" })], found.Observed.LooseDisks, looseAddresses: found.Observed.LooseAddresses.Count);
        context.Progress.Note($"The hosts cost {Money.PerHour(running, context.Options.Region)} while they run.");
        context.BeginChanges(deployment, found);
        var report = await new StartOperation(deployment, context.Fleet).RunAsync(context.Options, context.Release, found, context.Progress, cancellationToken);
        context.EndChanges();
        await ReportText.WriteAsync(context, report, cancellationToken);
        if (SpotText.Missing(context, found, StatusPicture.Size(context, found)) is { } missing) context.Progress.Note(missing);
        return ExitCode.Done;
    }
}
