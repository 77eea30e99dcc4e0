using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Asks hosts what they have, and finds the manager among them.</summary>
internal static class HostSurveys
{
    /// <summary>Asks one host.</summary>
    /// <param name="connection">The host.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="waits">Whether its first boot is waited for.</param>
    /// <exception cref="HostFailedException">It has no Docker, or none that answers.</exception>
    public static async Task<HostSurvey> ReadAsync(HostConnection connection, CancellationToken cancellationToken, bool waits = true)
    {
        var command = HostCommands.Survey(connection.Host, waits);
        return Read(connection, command, await connection.TryAsync(command, cancellationToken));
    }

    private static HostSurvey Read(HostConnection connection, HostCommand command, CommandResult result) => result.ExitCode == 0
        ? HostSurvey.Parse(result.Output)
        : throw Obstacle(connection.Host.Name, result) ?? connection.Failed(command, result);

    /// <summary>What a survey that ended with one of its own codes tells, or null where it did not.</summary>
    internal static HostFailedException? Obstacle(string host, CommandResult result)
    {
        var last = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault(line => line.StartsWith("E:", StringComparison.Ordinal));
        return result.ExitCode switch
        {
            HostCommands.FirstBootFailed => WithoutDocker($"its first boot failed before Docker was installed{(last is null ? "" : $" ({last.TrimEnd('.')})")}",
                $"Where that was a passing trouble of the network, publish --replace {host} puts another in its place; the whole log is /var/log/cloud-init-output.log on the host, for the command ssh."),
            HostCommands.FirstBootRuns => WithoutDocker("its first boot has not installed Docker yet", "Run the command again in a minute or two."),
            HostCommands.NoDocker => WithoutDocker("Docker is missing: there is no command docker", "Install it (apt-get install docker.io), or terminate the host, and run publish again."),
            HostCommands.NoEngine => new(host, "Docker's engine does not answer",
                "Look at 'journalctl --unit docker' on the host; if it cannot be mended, terminate the host, and run publish again.", result.Error),
            _ => null,
        };

        HostFailedException WithoutDocker(string what, string remedy) => new(host, what, remedy, result.Error) { IsWithoutDocker = true };
    }

    /// <summary>Asks all hosts that are connected; each of them must answer.</summary>
    /// <returns>By the host's name.</returns>
    /// <exception cref="HostFailedException">One has no Docker that answers.</exception>
    public static async Task<Dictionary<string, HostSurvey>> ReadAllAsync(FleetSession session, CancellationToken cancellationToken)
    {
        using var step = session.Progress.Begin("looking at the hosts");
        var surveys = await FleetSession.OnEachAsync(session.Connections, async connection =>
            KeyValuePair.Create(connection.Host.Name, await ReadAsync(connection, cancellationToken)));
        step.Done($"{surveys.Count} answer");
        return new(surveys, StringComparer.Ordinal);
    }

    /// <summary>
    /// Whether there is no Swarm that a host could be taken out of: a first publish broke off before it was formed, or it
    /// has died with its last manager. Where a manager's host does not answer nobody can tell.
    /// </summary>
    /// <param name="hosts">The hosts.</param>
    /// <param name="surveys">What those have that answer.</param>
    /// <param name="problems">What is wrong with the others.</param>
    public static bool IsWithoutSwarm(
        IReadOnlyList<DeployedHost> hosts, IReadOnlyDictionary<string, HostSurvey> surveys, IReadOnlyDictionary<string, HostFailedException> problems) =>
        hosts.All(host => surveys.TryGetValue(host.Name, out var survey) ? !Holds(host, survey) : !host.Manager || problems.GetValueOrDefault(host.Name) is { IsWithoutDocker: true });

    // A manager that looks for the others is active for none, and holds the Swarm all the same.
    private static bool Holds(DeployedHost host, HostSurvey survey) => survey.IsManager || (host.Manager && survey.SwarmState is not ("inactive" or "active"));

    /// <summary>Asks all hosts that are connected.</summary>
    /// <param name="session">The hosts.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="waits">Whether their first boot is waited for.</param>
    /// <returns>Both by the host's name: what those have that answered, and what is wrong with the others.</returns>
    public static async Task<(Dictionary<string, HostSurvey> Surveys, Dictionary<string, HostFailedException> Problems)> TryReadAllAsync(
        FleetSession session, CancellationToken cancellationToken, bool waits = true)
    {
        var surveys = new Dictionary<string, HostSurvey>(StringComparer.Ordinal);
        var problems = new Dictionary<string, HostFailedException>(StringComparer.Ordinal);
        await FleetSession.OnEachAsync(session.Connections, async connection =>
        {
            try
            {
                var survey = await ReadAsync(connection, cancellationToken, waits);
                lock (surveys) surveys[connection.Host.Name] = survey;
            }
            catch (HostFailedException e)
            {
                lock (surveys) problems[connection.Host.Name] = e;
            }

            return true;
        });
        return (surveys, problems);
    }

    /// <summary>A manager of the Swarm that answers, or null where there is no Swarm yet.</summary>
    /// <param name="session">The hosts.</param>
    /// <param name="surveys">What they said about themselves.</param>
    /// <param name="except">The name of a host that will not do, or null.</param>
    public static HostConnection? FindManager(FleetSession session, IReadOnlyDictionary<string, HostSurvey> surveys, string? except = null) =>
        session.Connections.FirstOrDefault(one => one.Host.Name != except && surveys.TryGetValue(one.Host.Name, out var survey) && survey is { SwarmState: "active", IsManager: true });

    /// <summary>A manager of the Swarm that answers.</summary>
    /// <exception cref="HostFailedException">There is none.</exception>
    public static HostConnection Manager(FleetSession session, IReadOnlyDictionary<string, HostSurvey> surveys, string? except = null) =>
        FindManager(session, surveys, except)
        ?? throw new HostFailedException(session.LockHost.Name, "no manager of the Swarm answers", "Run publish, which forms or mends the Swarm.");
}
