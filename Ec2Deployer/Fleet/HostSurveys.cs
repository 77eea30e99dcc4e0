using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>Asks hosts what they have, and finds the manager among them.</summary>
internal static class HostSurveys
{
    /// <summary>Asks one host.</summary>
    /// <exception cref="HostFailedException">It has no Docker, or none that answers.</exception>
    public static async Task<HostSurvey> ReadAsync(HostConnection connection, CancellationToken cancellationToken)
    {
        var command = HostCommands.Survey(connection.Host);
        var result = await connection.TryAsync(command, cancellationToken);
        return result.ExitCode switch
        {
            0 => HostSurvey.Parse(result.Output),
            HostCommands.NoDocker => throw new HostFailedException(connection.Host.Name, "Docker is missing: there is no command docker",
                "Install it (apt-get install docker.io), or terminate the host, and run publish again.", result.Error),
            HostCommands.NoEngine => throw new HostFailedException(connection.Host.Name, "Docker's engine does not answer",
                "Look at 'journalctl --unit docker' on the host; if it cannot be mended, terminate the host, and run publish again.", result.Error),
            _ => throw connection.Failed(command, result),
        };
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

    /// <summary>Asks all hosts that are connected.</summary>
    /// <returns>Both by the host's name: what those have that answered, and what is wrong with the others.</returns>
    public static async Task<(Dictionary<string, HostSurvey> Surveys, Dictionary<string, string> Problems)> TryReadAllAsync(FleetSession session, CancellationToken cancellationToken)
    {
        var surveys = new Dictionary<string, HostSurvey>(StringComparer.Ordinal);
        var problems = new Dictionary<string, string>(StringComparer.Ordinal);
        await FleetSession.OnEachAsync(session.Connections, async connection =>
        {
            try
            {
                var survey = await ReadAsync(connection, cancellationToken);
                lock (surveys) surveys[connection.Host.Name] = survey;
            }
            catch (HostFailedException e)
            {
                lock (surveys) problems[connection.Host.Name] = e.What;
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
