using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Remote;

namespace Lab.Ec2Deployer.Swarm;

/// <summary>Reads containers' logs on their own hosts: no manager stands between, and a host that is gone holds up none of the others.</summary>
internal static class FleetLogs
{
    /// <summary>The lines that containers of a service wrote on this host; where they are followed, those of the next container too, until standard input ends.</summary>
    public static HostCommand Command(string deployment, string service, int tail, bool follow)
    {
        var newest = $"docker ps --all --quiet --last 1 --filter label=com.docker.swarm.service.name={deployment}_{service}";
        if (!follow)
        {
            return new("reading the log", Shell.Root($"""
                container=$({newest})
                [ -z "$container" ] || exec docker logs --timestamps --tail {tail} "$container" 2>&1
                """)) { Timeout = TimeSpan.FromMinutes(2) };
        }

        var reader = $$$"""
            tail={{{tail}}}
            while :; do
                container=$({{{newest}}})
                # One that was made and has not begun has a log that ends at once.
                if [ -n "$container" ] && [ "$container" != "$last" ] && [ "$(docker inspect --format '{{.State.Status}}' "$container")" != created ]; then
                    docker logs --timestamps --tail "$tail" --follow "$container" 2>&1 || true
                    last=$container tail=all
                else
                    sleep 1
                fi
            done
            """;
        // A group of its own, to end with the caller: a reader that waits for the next line would not notice that nobody listens.
        return new("following the log", Shell.Root($"""
            setsid sh -c {Shell.Quote(reader)} < /dev/null &
            cat > /dev/null || true
            kill -- -$!
            """)) { Timeout = TimeSpan.FromMinutes(2) };
    }

    /// <summary>Lines of several containers: merged by time, or as they come where they are followed.</summary>
    public static async IAsyncEnumerable<LogLine> ReadAsync(
        FleetSession session, IReadOnlyList<(string Name, DeployedHost Host, string Service, int Port)> wanted, LogsRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<LogLine>(1000);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var readers = wanted.Where(one => !session.Unreachable.ContainsKey(one.Host.Name)).Select(async one =>
        {
            using var command = await session[one.Host].StartAsync(Command(session.Release.Deployment, one.Service, request.Tail, request.Follow), stop.Token);
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
