using System.Globalization;
using Lab.Ec2Deployer.Aws;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Commands;

/// <summary>
/// Whether another deployer is at work on the hosts: looked at before the first change, at EC2 too, by every command that
/// changes what there is. <c>ttl</c> does not ask, so that an end can be put off while somebody deploys.
/// </summary>
internal static class LockCheck
{
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(2);

    /// <summary>Refuses where another deployer holds the lock. Hosts that cannot be asked are no obstacle: they cost as much as the others.</summary>
    /// <param name="context">The command.</param>
    /// <param name="found">What there is.</param>
    /// <param name="left">What was not done, one sentence.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <param name="canBeForced">Whether the command has an option <c>--force</c>.</param>
    /// <exception cref="DeploymentException">Another deployer holds it; with <see cref="ExitCode.Locked"/>.</exception>
    public static async Task RequireFreeAsync(CommandContext context, DeploymentSnapshot found, string left, CancellationToken cancellationToken, bool canBeForced = false)
    {
        if (await AskAsync(context, found, cancellationToken) is not { } held) return;
        throw new DeploymentException(ExitCode.Locked, string.Create(CultureInfo.InvariantCulture,
            $"{held.Owner} has been at work on this deployment ('{held.What}') since {held.Since.UtcDateTime:yyyy-MM-dd HH:mm} UTC. {left} Wait, {(canBeForced ? "break the lock with 'unlock', or add --force" : "or break the lock with 'unlock'")}."));
    }

    private static async Task<FleetLock?> AskAsync(CommandContext context, DeploymentSnapshot found, CancellationToken cancellationToken)
    {
        if (found.Hosts.Count == 0 || !File.Exists(context.Directory.PrivateKeyFile)) return null;
        try
        {
            var asked = context.Fleet.LockAsync(found.Hosts, context.Release, cancellationToken);
            if (await Task.WhenAny(asked, Task.Delay(Slow, context.Time, cancellationToken)) == asked) return await asked;
            using var step = context.Progress.Begin("asking whether somebody else deploys");
            var held = await asked;
            step.Done();
            return held;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            context.Progress.Note($"The hosts cannot be asked whether somebody else deploys: {e.Message}");
            return null;
        }
    }
}
