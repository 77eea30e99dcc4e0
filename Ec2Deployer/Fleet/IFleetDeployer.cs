using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// Everything that happens on the hosts themselves, over SSH: images, the Swarm, the release, and what is said about
/// them. Who calls it has hosts that run and whose addresses are known; nothing here speaks to EC2.
/// </summary>
/// <remarks>
/// Every call may be interrupted at any point and made again. Failures are <see cref="DeploymentException"/> with a
/// message of one paragraph: what failed, where, what is left running, what to do; with
/// <see cref="ExitCode.HostFailed"/>, or <see cref="ExitCode.Locked"/> where another deployer holds the lock.
/// </remarks>
internal interface IFleetDeployer
{
    /// <summary>What <see cref="DeployAsync"/> would run on the hosts, in order. Pure: reads no file, opens no socket.</summary>
    /// <param name="hosts">The hosts; an address that nobody knows yet is a word in angle brackets, such as <c>&lt;private address of host-1&gt;</c>.</param>
    /// <param name="release">What is to run.</param>
    IReadOnlyList<RemoteStep> PlanRemote(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release);

    /// <summary>
    /// The Docker stack file that <see cref="DeployAsync"/> would deploy: JSON, which every reader of YAML understands.
    /// What only the run itself tells is a word in angle brackets. Pure, as <see cref="PlanRemote"/> is.
    /// </summary>
    string PlanStack(ReleaseOptions release);

    /// <summary>The images of the release, and what they weigh where they were built on this machine before. Reads files, builds nothing.</summary>
    IReadOnlyList<PlannedImage> PlanImages(ReleaseOptions release) =>
        [new("orchestrator", null, null), new("worker", null, null), .. release.Dashboard ? (PlannedImage[])[new("dashboard", null, null)] : []];

    /// <summary>Reads the files of this machine that the release is made of. Needs no host.</summary>
    /// <exception cref="DeploymentException">One cannot be used; with <see cref="ExitCode.Usage"/>.</exception>
    void Check(ReleaseOptions release);

    /// <summary>Builds the images that <see cref="DeployAsync"/> sends. Needs no host, so that it can fail before there is one. Once is enough.</summary>
    /// <exception cref="DeploymentException">They cannot be built.</exception>
    Task BuildAsync(ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the hosts run the release: builds the images where <see cref="BuildAsync"/> has not, sends what is missing, forms the Swarm or lets new hosts
    /// join it, deploys, waits until every container is healthy. Changes nothing where nothing differs. Takes the lock.
    /// </summary>
    /// <exception cref="DeploymentException">It failed; the version before is still serving.</exception>
    Task<FleetReport> DeployAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>What runs where. Hosts that do not answer are in it as such: they are no failure of the call.</summary>
    Task<FleetStatus> StatusAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken);

    /// <summary>The lines that containers wrote, oldest first; endless where <see cref="LogsRequest.Follow"/> is set.</summary>
    IAsyncEnumerable<LogLine> LogsAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, LogsRequest request, CancellationToken cancellationToken);

    /// <summary>Opens a way from this machine to the pages of Aspire's dashboard, and waits until they answer through it.</summary>
    /// <param name="hosts">The hosts; the orchestrator's has the dashboard.</param>
    /// <param name="release">How it is reached.</param>
    /// <param name="localPort">The port of this machine, or 0: one that is free.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DeploymentException">The host or the dashboard does not answer, the port is taken, or the token is not on this machine.</exception>
    Task<IDashboardTunnel> OpenDashboardAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, int localPort, CancellationToken cancellationToken);

    /// <summary>Harms one container, or undoes it, to see what becomes of requests.</summary>
    /// <exception cref="DeploymentException">There is no such container, or its host fails.</exception>
    Task HarmAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, HarmRequest request, CancellationToken cancellationToken);

    /// <summary>Puts a version kept on the hosts back into service. Takes the lock.</summary>
    /// <param name="hosts">All hosts of the deployment.</param>
    /// <param name="release">How the hosts are reached.</param>
    /// <param name="version">One of <see cref="FleetStatus.Versions"/>, or null: the one before the present one.</param>
    /// <param name="progress">Told of each step.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    Task<FleetReport> RollbackAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string? version, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>
    /// Takes work off a host that is to go: its workers are drained in the orchestrator, its tasks stopped; a manager
    /// hands its office to another host first. Harmless where the host is drained already or does not answer.
    /// </summary>
    Task DrainHostAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>Takes a drained or dead host out of the Swarm and out of the orchestrator's list. Harmless where it is gone already.</summary>
    Task RemoveHostAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, string host, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>Waits until hosts that were started again answer by SSH; who comes next tells what is wrong with one that does not.</summary>
    Task WaitForAnswersAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until hosts that were stopped and started have found together in their Swarm and serve again what they served
    /// before. Takes the lock.
    /// </summary>
    /// <exception cref="DeploymentException">They do not in time.</exception>
    Task<FleetReport> ResumeAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, CancellationToken cancellationToken);

    /// <summary>Sets on hosts that run when they end themselves.</summary>
    /// <param name="hosts">The hosts.</param>
    /// <param name="release">How they are reached.</param>
    /// <param name="end">The moment, or null for never.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Why it is not set, by the names of hosts that do not answer or refuse.</returns>
    Task<IReadOnlyDictionary<string, string>> SetEndAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, DateTimeOffset? end, CancellationToken cancellationToken);

    /// <summary>Who holds the lock, or null: nobody does. Changes nothing.</summary>
    /// <exception cref="DeploymentException">The host that keeps it does not answer.</exception>
    async Task<FleetLock?> LockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken) =>
        (await StatusAsync(hosts, release, cancellationToken)).Lock;

    /// <summary>Breaks the lock that a deployer left behind.</summary>
    /// <returns>The lock that was broken, or null where there was none.</returns>
    Task<FleetLock?> UnlockAsync(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, CancellationToken cancellationToken);
}
