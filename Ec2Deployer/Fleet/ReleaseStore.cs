using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The versions kept in the Swarm, newest first. The first is the one that serves.</summary>
internal sealed class ReleaseStore(HostConnection manager, RolloutCommands commands)
{
    private const int MaxKept = 10;

    /// <summary>Lists them.</summary>
    public async Task<IReadOnlyList<KeptRelease>> ListAsync(CancellationToken cancellationToken) =>
        commands.ReadReleases(await manager.RunAsync(commands.Releases, cancellationToken));

    /// <summary>Reads one.</summary>
    public async Task<Release> ReadAsync(KeptRelease kept, CancellationToken cancellationToken) =>
        Release.Parse(await manager.RunAsync(RolloutCommands.ReadRelease(kept.Name), cancellationToken));

    /// <summary>Keeps a version as the one that serves, and forgets the oldest.</summary>
    /// <returns>All that are kept now.</returns>
    public async Task<IReadOnlyList<Release>> KeepAsync(Release release, CancellationToken cancellationToken)
    {
        var kept = await ListAsync(cancellationToken);
        if (kept is not [{ } newest, ..] || newest.Version != release.Version)
        {
            await manager.RunAsync(commands.KeepRelease((kept.Count > 0 ? kept[0].Number : 0) + 1, release), cancellationToken);
            kept = await ListAsync(cancellationToken);
        }

        foreach (var old in kept.Skip(MaxKept)) await manager.RunAsync(RolloutCommands.ForgetRelease(old.Name), cancellationToken);
        var releases = new List<Release>();
        foreach (var one in kept.Take(MaxKept).DistinctBy(one => one.Version)) releases.Add(await ReadAsync(one, cancellationToken));
        return releases;
    }

    /// <summary>The version to go back to.</summary>
    /// <param name="version">The version asked for, or null: the one before the one that serves.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DeploymentException">There is none.</exception>
    public async Task<KeptRelease> FindAsync(string? version, CancellationToken cancellationToken)
    {
        var kept = await ListAsync(cancellationToken);
        var found = version is null
            ? kept.FirstOrDefault(one => one.Version != kept[0].Version)
            : kept.FirstOrDefault(one => one.Version == version);
        if (found is not null) return found;
        var known = string.Join(", ", kept.Select(one => one.Version).Distinct());
        throw new DeploymentException(ExitCode.Usage, version is null
            ? $"There is no version before the one that serves ({(known.Length > 0 ? known : "none")}), so there is nothing to go back to. Nothing was changed."
            : $"Version {version} is not kept. Nothing was changed. Kept are: {(known.Length > 0 ? known : "none")}.");
    }
}
