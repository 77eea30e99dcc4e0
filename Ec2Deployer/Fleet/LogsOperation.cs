using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// <c>logs</c>: what containers wrote, read on their own hosts. No manager stands between, and a host that is gone holds
/// up none of the others.
/// </summary>
internal sealed class LogsOperation(FleetAccess access)
{
    /// <inheritdoc cref="IFleetDeployer.LogsAsync"/>
    public async IAsyncEnumerable<LogLine> RunAsync(
        IReadOnlyList<DeployedHost> hosts, ReleaseOptions release, LogsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var session = await access.OpenAsync(hosts, release, cancellationToken);
        // Whatever was asked for last: the version that serves may have several, and where there is none it has no log.
        var wanted = FleetContainers.Expected(hosts, release, orchestratorOnEachManager: true).Where(one => request.Container is null || one.Name == request.Container).ToList();
        if (wanted.Count == 0) throw new DeploymentException(ExitCode.Usage, $"There is no container {request.Container}: orchestrator, worker-1, worker-2, …");
        await foreach (var line in ReadAsync(session, wanted, request, cancellationToken)) yield return line;
    }

    /// <summary>Lines of several containers: merged by time, or as they come where they are followed.</summary>
    private static async IAsyncEnumerable<LogLine> ReadAsync(
        FleetSession session, IReadOnlyList<(string Name, DeployedHost Host, string Service, int Port)> wanted, LogsRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<LogLine>(1000);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var readers = wanted.Where(one => !session.Unreachable.ContainsKey(one.Host.Name)).Select(async one =>
        {
            using var command = await session[one.Host].StartAsync(LogCommands.Read(session.Release.Deployment, one.Service, request.Tail, request.Follow), stop.Token);
            while (await command.ReadLineAsync(stop.Token) is { } line) await lines.Writer.WriteAsync(Parse(one.Name, line), stop.Token);
        }).ToList();
        var all = Task.WhenAll(readers).ContinueWith(done => lines.Writer.Complete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            if (request.Follow)
            {
                await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken)) yield return line;
            }
            else
            {
                var read = new List<LogLine>();
                await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken)) read.Add(line);
                foreach (var line in read.OrderBy(line => line.At ?? DateTimeOffset.MinValue)) yield return line;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await all;
        }
    }

    private static LogLine Parse(string container, string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && DateTimeOffset.TryParse(line.AsSpan(0, space), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? new(container, line[(space + 1)..], at)
            : new(container, line);
    }
}
