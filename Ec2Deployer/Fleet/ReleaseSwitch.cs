using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Puts a release into service, verifies it, and keeps it as the one that serves: the part that deploying and going back share.</summary>
/// <param name="session">The hosts.</param>
/// <param name="manager">A manager of the Swarm.</param>
/// <param name="commands">The stack's commands.</param>
/// <param name="keys">The deployment's API keys.</param>
/// <param name="times">How fast a rollout is.</param>
/// <param name="time">The clock.</param>
internal sealed class ReleaseSwitch(
    FleetSession session, HostConnection manager, RolloutCommands commands, FleetKeys keys, StackTimes times, TimeProvider time)
{
    /// <summary>Switches to the release; where a part of it does not run, the one before serves again.</summary>
    /// <param name="target">The release.</param>
    /// <param name="action">What the user asked for, as the audit log says it.</param>
    /// <param name="changed">Whether something was changed before.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="DeploymentException">A service of the release does not run.</exception>
    /// <exception cref="HostFailedException">A host failed, or the release did not pass verification.</exception>
    public async Task<FleetReport> RunAsync(Release target, string action, bool changed, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(manager, commands);
        var kept = await store.ListAsync(cancellationToken);
        var old = kept.Count > 0 ? await store.ReadAsync(kept[0], cancellationToken) : null;
        session.LeftRunning = old is null
            ? "Nothing served before; what has started runs on."
            : $"Version {old.Version} serves on.";
        var rollout = new Rollout(manager, commands, times, time, session.Progress, Expected);
        IReadOnlyList<ContainerStatus> containers;
        try
        {
            changed |= await rollout.RunAsync(target, old, cancellationToken);
            try
            {
                containers = await new FleetVerification(session, keys, time).RunAsync(target, cancellationToken);
            }
            catch (HostFailedException e) when (old is not null && old.Version != target.Version)
            {
                await rollout.RevertAsync(old, e, cancellationToken);
                throw;
            }
        }
        catch (RolloutException e)
        {
            await session.AuditAsync($"{action}-failed", target.Version, cancellationToken);
            throw FleetFailure.Told(e, target, old, action);
        }

        if (changed)
        {
            await store.KeepAsync(target, cancellationToken);
            await session.AuditAsync(action, target.Version, cancellationToken);
        }
        else if (old is null)
        {
            // Cut off between the rollout and its record.
            await store.KeepAsync(target, cancellationToken);
        }

        var certificates = await ServedCertificates.ReadAsync(session, target, cancellationToken);
        foreach (var host in session.OrchestratorHosts(target.OrchestratorOnEachManager))
        {
            using var way = HostWay.To(host, FleetShape.HttpsPort);
            await OutsideRequest.RunAsync(way, host.SshAddress, certificates, session.Progress, cancellationToken);
        }

        if (old is not null) TellWhatChangesHands(old, target);
        var files = ClientFiles.Write(session.Release.StateDirectory, keys.ApiKey, certificates);
        return new()
        {
            Version = target.Version,
            PreviousVersion = old?.Version,
            Changed = changed,
            Containers = containers,
            Address = new Uri($"https://{session.OrchestratorHost.SshAddress}"),
            ApiKeyFile = keys.ApiKeyFile,
            AuthorizationFile = files.Authorization,
            CertificateFile = files.Certificate,
            CertificateFingerprint = certificates is [var first, ..] ? FleetKeys.Fingerprint(first) : null,
            ServerName = certificates is [var served, ..] ? ServedCertificates.NameIn(served) : null,
        };
    }

    private void TellWhatChangesHands(Release old, Release target)
    {
        var left = session.OrchestratorHosts(old.OrchestratorOnEachManager).Except(session.OrchestratorHosts(target.OrchestratorOnEachManager)).Select(host => $"{host.SshAddress} ({host.Name})").ToList();
        if (left.Count > 0) session.Progress.Note($"No orchestrator of version {target.Version} answers at {string.Join(" and ", left)}.");
        if (old.KeepsJobsInPostgres != target.KeepsJobsInPostgres)
            session.Progress.Note($"Jobs are kept {Place(target)} now. Those {Place(old)} stay there, and are neither run nor shown until a version that keeps jobs there serves.");

        static string Place(Release release) => release.KeepsJobsInPostgres ? "in PostgreSQL" : "in a file on the orchestrator's host";
    }

    private Dictionary<string, int> Expected(Release release)
    {
        var workers = session.Hosts.Count(host => host.Role is HostRole.Worker);
        return new(StringComparer.Ordinal) { ["worker-a"] = workers, ["worker-b"] = workers, ["orchestrator"] = session.OrchestratorHosts(release.OrchestratorOnEachManager).Count() };
    }
}
