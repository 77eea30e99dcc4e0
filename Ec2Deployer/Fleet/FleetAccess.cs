using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>How operations come to the hosts: to read, or under the lock to change something.</summary>
/// <param name="times">How long the way to a host may take.</param>
/// <param name="time">The clock.</param>
internal sealed class FleetAccess(ConnectTimes times, TimeProvider time)
{
    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Connects for an operation that takes no lock and tells nobody; a host that does not answer now is not waited for.</summary>
    public Task<FleetSession> OpenAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) =>
        FleetSession.OpenAsync(hosts, release, NoProgress.Instance, times.ForSnapshot, time, cancellationToken);

    /// <summary>Connects, takes the lock and holds it for as long as the work takes.</summary>
    /// <param name="hosts">The hosts.</param>
    /// <param name="release">How they are reached.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="what">What is done, for whoever finds the lock taken.</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="DeploymentException">Somebody else has the lock, or a host failed.</exception>
    public async Task<T> LockedAsync<T>(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, string what, Func<FleetSession, Task<T>> work, CancellationToken cancellationToken)
    {
        using var session = await FleetSession.OpenAsync(hosts, release, progress, times, time, cancellationToken);
        try
        {
            using var held = await FleetLockHolder.TakeAsync(session[session.LockHost], new(FleetSession.Owner, what, time.GetUtcNow()), cancellationToken);
            return await work(session);
        }
        catch (HostFailedException e)
        {
            throw FleetFailure.Told(e, session);
        }
    }
}
