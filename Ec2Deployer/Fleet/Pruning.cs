using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Deletes from hosts and Swarm what no kept version needs any more.</summary>
internal static class Pruning
{
    /// <summary>Deletes images, layers and secrets.</summary>
    /// <param name="session">The hosts.</param>
    /// <param name="manager">A manager of the Swarm.</param>
    /// <param name="commands">The stack's commands.</param>
    /// <param name="current">The images of the version that serves.</param>
    /// <param name="kept">The secrets of what runs now.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task RunAsync(
        FleetSession session, HostConnection manager, RolloutCommands commands, IReadOnlyList<PackedImage> current, IEnumerable<FleetSecret> kept, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(manager, commands);
        var releases = new List<Release>();
        foreach (var one in (await store.ListAsync(cancellationToken)).DistinctBy(one => one.Version)) releases.Add(await store.ReadAsync(one, cancellationToken));
        var command = HostCommands.Prune(
            releases.SelectMany(release => StackFile.Services.Select(release.Image)).Concat(current.Select(image => image.Reference)).Distinct(),
            current.SelectMany(image => image.Layers).Select(layer => layer.DiffId).Distinct());
        await FleetSession.OnEachAsync(session.Connections, connection => connection.RunAsync(command, cancellationToken));
        // A secret of which no kept version knows is nobody's; one that a container still has the Swarm does not give up.
        var secrets = (await manager.RunAsync(commands.Secrets, cancellationToken)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var old in secrets.Except(releases.SelectMany(release => release.Secrets)).Except(kept.Select(secret => secret.Name(commands.Deployment))))
            await manager.TryAsync(RolloutCommands.RemoveSecret(old), cancellationToken);
    }
}
