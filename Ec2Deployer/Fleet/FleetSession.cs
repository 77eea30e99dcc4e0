using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>The hosts of one call, each with its connection, for as long as the call takes.</summary>
internal sealed class FleetSession : IDisposable
{
    private readonly Dictionary<string, HostConnection> _connections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HostFailedException> _unreachable = new(StringComparer.Ordinal);

    private readonly TimeProvider _time;

    private FleetSession(IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, TimeProvider time) =>
        (Hosts, Release, Progress, _time) = (hosts, release, progress, time);

    /// <summary>Who deploys, in audit logs and locks: user and machine.</summary>
    public static string Owner { get; } = $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>All hosts, whether they answer or not.</summary>
    public IReadOnlyList<DeployedHost> Hosts { get; }

    /// <summary>What they are to run.</summary>
    public ReleaseOptions Release { get; }

    /// <summary>Told of each step.</summary>
    public IProgressSink Progress { get; }

    /// <summary>What runs at the moment, in a sentence, should something fail now.</summary>
    public string LeftRunning { get; set; } = "Nothing was changed, and what ran before runs on.";

    /// <summary>Hosts that do not answer, and why.</summary>
    public IReadOnlyDictionary<string, HostFailedException> Unreachable => _unreachable;

    /// <summary>Hosts that answer.</summary>
    public IEnumerable<HostConnection> Connections => Hosts.Where(host => _connections.ContainsKey(host.Name)).Select(host => _connections[host.Name]);

    /// <summary>The orchestrator's host, the first of them where there are several.</summary>
    public DeployedHost OrchestratorHost => Hosts.FirstOrDefault(host => host.Role is HostRole.Orchestrator)
        ?? throw new DeploymentException(ExitCode.Failed, "None of the hosts is the orchestrator's: run publish.");

    /// <summary>The host that keeps the lock: the orchestrator's, or while that is gone a manager.</summary>
    public DeployedHost LockHost => LockHostOf(Hosts);

    /// <summary>The hosts that run an orchestrator.</summary>
    /// <param name="onEachManager">Whether each manager does: one release may have that, and the one before it not.</param>
    public IEnumerable<DeployedHost> OrchestratorHosts(bool onEachManager) => Hosts.Where(host => host.RunsOrchestrator(onEachManager));

    /// <summary>Connects to all hosts at once.</summary>
    public static async Task<FleetSession> OpenAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, IProgressSink progress, ConnectTimes times, TimeProvider time, CancellationToken cancellationToken)
    {
        var session = new FleetSession(hosts, release, progress, time);
        var keys = new HostKeys(Path.Combine(release.StateDirectory, "known_hosts"), release.AcceptNewHostKey, progress.Note);
        try
        {
            await Task.WhenAll(hosts.Select(async host =>
            {
                try
                {
                    var connection = await HostConnection.ConnectAsync(host, release.PrivateKeyFile, keys, times, time, cancellationToken);
                    lock (session._connections) session._connections[host.Name] = connection;
                }
                catch (HostFailedException e)
                {
                    lock (session._unreachable) session._unreachable[host.Name] = e;
                }
            }));
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The connection to a host.</summary>
    /// <exception cref="HostFailedException">It does not answer.</exception>
    public HostConnection this[DeployedHost host] => _connections.TryGetValue(host.Name, out var connection) ? connection : throw _unreachable[host.Name];

    /// <summary>Throws where a host does not answer.</summary>
    /// <exception cref="HostFailedException">The first of them, with the names of the others.</exception>
    public void RequireAll()
    {
        if (_unreachable.Count == 0) return;
        var first = _unreachable.OrderBy(pair => pair.Key, StringComparer.Ordinal).First().Value;
        if (_unreachable.Count == 1) throw first;
        var others = string.Join(", ", _unreachable.Keys.Where(name => name != first.Host).Order(StringComparer.Ordinal));
        throw new HostFailedException(first.Host, $"{first.What}; {others} cannot be reached either", first.Remedy, inner: first) { IsUnanswered = first.IsUnanswered };
    }

    /// <summary>Does something on several hosts at once; what fails first is thrown when all have ended.</summary>
    public static async Task<IReadOnlyList<T>> OnEachAsync<T>(IEnumerable<HostConnection> connections, Func<HostConnection, Task<T>> work) =>
        await Task.WhenAll(connections.Select(work));

    /// <inheritdoc cref="LockHost"/>
    public static DeployedHost LockHostOf(IReadOnlyList<DeployedHost> hosts) =>
        hosts.FirstOrDefault(host => host.Role is HostRole.Orchestrator) ?? hosts.FirstOrDefault(host => host.Manager) ?? hosts[0];

    /// <summary>Writes a line to the audit logs here and on the managers that answer.</summary>
    public async Task AuditAsync(string action, string subject, CancellationToken cancellationToken)
    {
        Progress.Audit(action, subject);
        var command = HostCommands.AppendAudit($"{_time.GetUtcNow():O} {Owner} {action} {subject}");
        await OnEachAsync(Connections.Where(connection => connection.Host.Manager), async connection =>
        {
            var result = await connection.TryAsync(command, cancellationToken);
            if (result.ExitCode != 0) Progress.Note($"{connection.Host.Name}: the audit log cannot be written: {result.Error.Trim()}");
            return true;
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var connection in _connections.Values) connection.Dispose();
    }
}
