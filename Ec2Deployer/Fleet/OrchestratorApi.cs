using System.Globalization;
using System.Text;
using System.Text.Json;
using Lab.Ec2Deployer.Remote;
using Lab.Ec2Deployer.Swarm;

namespace Lab.Ec2Deployer.Fleet;

/// <summary>
/// The orchestrator's own interface, spoken to on its host through SSH and over the Unix socket in its container: keys do
/// not travel in the clear, no other process can be at its end, and no security group stands in the way. Each call is one command, for SSH.NET's forwarded ports lose answers when several are under way;
/// one command may ask several times, for starting it costs more than an answer.
/// </summary>
/// <param name="connection">The orchestrator's host.</param>
/// <param name="deployment">The deployment's name.</param>
/// <param name="key">The key to call it with.</param>
internal sealed class OrchestratorApi(HostConnection connection, string deployment, string key)
{
    private const char Separator = '\x1e';

    private const string Script = """
        perl -MIO::Socket::UNIX -e 'local $/; my $request = <STDIN>; for (map { my $orchestrator = IO::Socket::UNIX->new($ARGV[0]) or die "its socket: $!\n"; print $orchestrator $request; $orchestrator } 1 .. $ARGV[1]) { print readline($_), "\x1e" }'
        """;

    /// <summary>Each worker's status: <c>free</c>, <c>busy</c>, <c>quarantined</c> or <c>draining</c>.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<IReadOnlyDictionary<string, string>> WorkersAsync(CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(Body((await AskAsync("GET", "/workers", "", times: 1, cancellationToken))[0]));
        return document.RootElement.EnumerateObject().ToDictionary(worker => worker.Name, worker => worker.Value.GetProperty("status").GetString()!, StringComparer.Ordinal);
    }

    /// <summary>What the last minute was like.</summary>
    /// <returns>Null where its version does not tell.</returns>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task<FleetTraffic?> TrafficAsync(CancellationToken cancellationToken) =>
        FleetTraffic.Parse(Body((await AskAsync("GET", "/metrics", "", times: 1, cancellationToken))[0]));

    /// <summary>Has a text classified so many times at once.</summary>
    /// <returns>The workers that answered.</returns>
    /// <exception cref="HttpRequestException">One was not answered.</exception>
    public async Task<IReadOnlyList<string>> ClassifyAsync(string text, int times, CancellationToken cancellationToken)
    {
        var workers = new List<string>();
        foreach (var answer in await AskAsync("POST", "/new_request", text, times, cancellationToken))
        {
            using var document = JsonDocument.Parse(Body(answer));
            workers.Add(document.RootElement.GetProperty("worker").GetString()!);
        }

        return workers;
    }

    /// <summary>Has a worker finish what it does and take no more. One that is not known is drained already.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or refuses.</exception>
    public async Task DrainAsync(string worker, CancellationToken cancellationToken)
    {
        var answer = (await AskAsync("POST", $"/workers/{worker}/drain", "", times: 1, cancellationToken))[0];
        if (answer.Status is not 404) _ = Body(answer);
    }

    /// <summary>The command line that asks so many times.</summary>
    internal static string Line(string deployment, int times) => Shell.Root(string.Create(CultureInfo.InvariantCulture, $"""
        {HostCommands.OrchestratorProcess(deployment)}
        {Script} /proc/$process/root{StackFile.HealthSocketPath} {times}
        """));

    /// <summary>A request as it travels. HTTP/1.0, so that the answer ends where the connection does.</summary>
    internal static string Request(string method, string path, string body, string key) =>
        $"{method} {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {Encoding.UTF8.GetByteCount(body).ToString(CultureInfo.InvariantCulture)}\r\n\r\n{body}";

    /// <summary>Reads an answer's status and body; status 0 where there is none.</summary>
    internal static (int Status, string Body) Answer(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end > 0 && text.Split(' ', 3) is [var protocol, var status, _] && protocol.StartsWith("HTTP/1.", StringComparison.Ordinal)
            && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? (number, text[(end + 4)..])
                : (0, "");
    }

    private static string Body((int Status, string Body) answer) =>
        answer.Status is >= 200 and < 300 ? answer.Body : throw new HttpRequestException($"it answers {answer.Status}");

    private async Task<IReadOnlyList<(int Status, string Body)>> AskAsync(string method, string path, string body, int times, CancellationToken cancellationToken)
    {
        var command = new HostCommand("asking the orchestrator", Line(deployment, times))
        {
            Input = Request(method, path, body, key),
            InputInWords = $"{method} {path} with the deployer's key",
            Timeout = TimeSpan.FromSeconds(40),
        };
        var result = await connection.TryAsync(command, cancellationToken);
        return result.ExitCode == 0 ? [.. result.Output.Split(Separator)[..times].Select(Answer)] : throw new HttpRequestException($"it does not answer: {result.Error.Trim()}");
    }
}
