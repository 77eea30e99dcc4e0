using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// Upgrades Docker, one host after the other: its tasks are stopped as for an update, the engine restarts, and the next host
/// comes when all its containers are healthy again. The orchestrator's host is the last.
/// </summary>
internal sealed class DockerUpgrade(FleetSession session, TimeProvider time)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>What to do about newer versions that the hosts' lists have, or null where there are none.</summary>
    public static string? Advice(IReadOnlyCollection<string> hosts) => hosts.Count == 0
        ? null
        : $"There is a newer version of Docker for {string.Join(", ", hosts)}. 'publish --upgrade-docker' installs it, one host after the other; while it is an orchestrator's turn that one refuses requests.";

    /// <summary>Upgrades where there is something to upgrade.</summary>
    /// <param name="surveys">What the hosts said of themselves.</param>
    /// <param name="release">The release that serves.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <returns>Whether anything was upgraded.</returns>
    /// <exception cref="HostFailedException">A host could not be upgraded, or its containers did not come back; later hosts are as they were.</exception>
    public async Task<bool> RunAsync(Dictionary<string, HostSurvey> surveys, Release release, CancellationToken cancellationToken)
    {
        var newer = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        using (var step = session.Progress.Begin("looking for newer versions of Docker"))
        {
            foreach (var (name, found) in await FleetSession.OnEachAsync(session.Connections, async connection =>
                (connection.Host.Name, HostSurvey.Parse(await connection.RunAsync(DockerUpgradeCommands.Refresh, cancellationToken)).Upgrades)))
            {
                if (found.Count > 0) newer[name] = found;
            }

            step.Done(newer.Count == 0 ? "none" : $"for {string.Join(", ", newer.Keys.Order(StringComparer.Ordinal))}");
        }

        foreach (var host in session.Hosts.Where(host => newer.ContainsKey(host.Name)).OrderBy(host => host.Role is HostRole.Orchestrator))
            await UpgradeAsync(host, newer[host.Name].Keys, surveys, release, cancellationToken);
        return newer.Count > 0;
    }

    private async Task UpgradeAsync(DeployedHost host, IEnumerable<string> packages, Dictionary<string, HostSurvey> surveys, Release release, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("upgrading Docker", host.Name);
        session.LeftRunning = $"Version {release.Version} serves on the other hosts.";
        // The only manager looks after itself.
        var manager = HostSurveys.FindManager(session, surveys, except: host.Name) ?? session[host];
        var nodes = await SwarmExecutor.NodesAsync(manager, cancellationToken);
        if (host.Manager && nodes.FirstOrDefault(one => one.IsManager && one.Manager is "unreachable") is { } gone)
            throw new HostFailedException(gone.Hostname, $"this manager of the Swarm does not answer, so that {host.Name}, another, may not be stopped", "Run publish, which mends the Swarm.");
        var node = surveys[host.Name].NodeId;
        await manager.RunAsync(SwarmCommands.Drain(node), cancellationToken);
        string version;
        try
        {
            await UntilAsync(host, "its containers did not stop", async () => await RunningAsync(host, cancellationToken) == 0, cancellationToken);
            step.Say("installing");
            version = (await session[host].RunAsync(DockerUpgradeCommands.Install(packages), cancellationToken)).Trim();
        }
        finally
        {
            // Whatever became of it, and also when the user has had enough.
            await manager.RunAsync(DockerUpgradeCommands.Activate(node), CancellationToken.None);
        }

        step.Say("containers start");
        await UntilAsync(host, "its containers did not become healthy again", async () =>
            (await FleetContainers.ReadAsync(session, release, cancellationToken)).Where(container => container.Host == host.Name && FleetContainers.Serves(container)).All(container => container.Health is "healthy"), cancellationToken);
        await session.AuditAsync("upgrade-docker", $"{host.Name} {version}", cancellationToken);
        step.Done(version);
    }

    private async Task<int> RunningAsync(DeployedHost host, CancellationToken cancellationToken) =>
        (await session[host].RunAsync(HostCommands.Containers(session.Release.Deployment), cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length;

    private async Task UntilAsync(DeployedHost host, string otherwise, Func<Task<bool>> isSo, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!await isSo())
        {
            if (time.GetElapsedTime(started) > Deadline)
                throw new HostFailedException(host.Name, $"{otherwise} within {Deadline.TotalMinutes:0} minutes of Docker's upgrade", "Look at 'status' and 'logs', and run publish again.");
            await Task.Delay(Poll, time, cancellationToken);
        }
    }
}
