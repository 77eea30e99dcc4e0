using System.Globalization;
using System.Reflection;
using Lab.Bench.Dispatch;

namespace Lab.Bench.Peers;

/// <summary>The orchestrator and plain proxies before the same stub workers.</summary>
internal static class DispatchPeers
{
    public const int WorkerCount = 8;
    private const int FirstPort = 18100;

    /// <summary>What wrk sends. The key is one for this benchmark alone.</summary>
    public const string Script = """
        wrk.method = "POST"
        wrk.body = "the quick brown fox jumps over the lazy dog"
        wrk.headers["Content-Type"] = "text/plain"
        wrk.headers["Authorization"] = "Bearer bench-key-0123456789"
        """;

    /// <summary>Settings with which an orchestrator lets in what wrk sends.</summary>
    public static IEnumerable<(string Name, string Value)> Access { get; } = [("Access__Keys__bench", "bench-key-0123456789"), ("Access__RequestsPerSecond", "1000000")];

    /// <summary>Starts them, those that are installed.</summary>
    /// <param name="directory">For configurations; exists.</param>
    /// <param name="children">Takes every process that was started, for the caller to end, also when this throws.</param>
    public static async Task<IReadOnlyList<Subject>> StartAsync(string directory, List<Child> children)
    {
        var self = Assembly.GetExecutingAssembly().Location;
        await Keep(Child.StartAsync("dotnet", [self, "stub-workers", "--port", Text(FirstPort), "--count", Text(WorkerCount)], FirstPort));
        var subjects = new List<Subject>
        {
            new("Lab, as shipped", Address(20, "/new_request"), await Keep(StartOrchestratorAsync(directory, FirstPort + 20))),
            new("Lab, MaxBatch=1", Address(21, "/new_request"), await Keep(StartOrchestratorAsync(directory, FirstPort + 21, ("Orchestrator__MaxBatch", "1")))),
            new("YARP LeastRequests", Address(22, "/run_model"), await Keep(Child.StartAsync("dotnet", [self, "yarp", "--port", Text(FirstPort + 22), "--workers", Text(FirstPort)], FirstPort + 22))),
        };
        if (await NginxProxy.TryStartAsync(directory, FirstPort + 23, FirstPort, WorkerCount) is { } nginx)
            subjects.Add(new("nginx least_conn", Address(23, "/run_model"), await Keep(Task.FromResult(nginx))));
        if (await HaproxyProxy.TryStartAsync(directory, FirstPort + 24, FirstPort, WorkerCount) is { } haproxy)
            subjects.Add(new("HAProxy leastconn, maxconn 1", Address(24, "/run_model"), await Keep(Task.FromResult(haproxy))));
        subjects.Add(new("(the stubs alone)", Address(0, "/run_model")));
        return subjects;

        async Task<Child> Keep(Task<Child> starting)
        {
            var child = await starting;
            children.Add(child);
            return child;
        }
    }

    private static string Address(int offset, string path) => $"http://127.0.0.1:{Text(FirstPort + offset)}{path}";

    private static Task<Child> StartOrchestratorAsync(string directory, int port, params IEnumerable<(string Name, string Value)> settings) => ShippedOrchestrator.StartAsync(
        port, Path.Combine(directory, $"jobs-{port}.db"), FirstPort, WorkerCount,
        [.. Access, .. settings]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
