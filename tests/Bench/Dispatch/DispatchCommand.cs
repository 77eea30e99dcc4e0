using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Lab.Orchestrator;

namespace Lab.Bench.Dispatch;

/// <summary>
/// Our orchestrator against plain proxies before the same stub workers, in one run, taking turns, so that whatever
/// else the machine does falls on all alike.
/// </summary>
internal static class DispatchCommand
{
    public const int WorkerCount = 8;
    private const int FirstPort = 18100;
    private const string Key = "bench-key-0123456789";

    private const string Script = """
        wrk.method = "POST"
        wrk.body = "the quick brown fox jumps over the lazy dog"
        wrk.headers["Content-Type"] = "text/plain"
        wrk.headers["Authorization"] = "Bearer bench-key-0123456789"
        """;

    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Turns for each; the table shows medians." };
        var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => 5, Description = "Length of a turn." };
        var connections = new Option<int>("--connections") { DefaultValueFactory = _ => 64, Description = "Connections of wrk." };
        var command = new Command("dispatch", "Orchestrator against YARP, nginx and HAProxy before eight stub workers (needs wrk; nginx and haproxy where installed).")
        {
            rounds, seconds, connections,
        };
        command.SetAction(parse => RunAsync(parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(connections)));
        return command;
    }

    private static async Task RunAsync(int rounds, int seconds, int connections)
    {
        var script = Path.GetTempFileName();
        var configurations = Directory.CreateTempSubdirectory("lab-bench-");
        await File.WriteAllTextAsync(script, Script);
        var self = Assembly.GetExecutingAssembly().Location;
        await using var stubs = await Child.StartAsync("dotnet", [self, "stub-workers", "--port", Text(FirstPort), "--count", Text(WorkerCount)], FirstPort);
        var subjects = new List<Subject>
        {
            new("Lab, as shipped", "/new_request", await StartOrchestratorAsync(FirstPort + 20), FirstPort + 20),
            new("Lab, MaxBatch=1", "/new_request", await StartOrchestratorAsync(FirstPort + 21, maxBatch: 1), FirstPort + 21),
            new("YARP LeastRequests", "/run_model", await Child.StartAsync("dotnet", [self, "yarp", "--port", Text(FirstPort + 22), "--workers", Text(FirstPort)], FirstPort + 22), FirstPort + 22),
        };
        if (await NginxProxy.TryStartAsync(configurations.FullName, FirstPort + 23, FirstPort, WorkerCount) is { } nginx)
            subjects.Add(new("nginx least_conn", "/run_model", nginx, FirstPort + 23));
        if (await HaproxyProxy.TryStartAsync(configurations.FullName, FirstPort + 24, FirstPort, WorkerCount) is { } haproxy)
            subjects.Add(new("HAProxy leastconn, maxconn 1", "/run_model", haproxy, FirstPort + 24));
        subjects.Add(new("(the stubs alone)", "/run_model", null, FirstPort));
        try
        {
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var subject in subjects)
                {
                    var before = subject.Process?.ProcessorTime;
                    var output = await Child.RunAsync("wrk", "-t2", $"-c{connections}", $"-d{seconds}s", "--latency", "-s", script,
                        $"http://127.0.0.1:{subject.Port}{subject.Path}");
                    var result = WrkResult.Parse(output, subject.Process?.ProcessorTime - before);
                    Console.Error.WriteLine($"round {round}: {subject.Name}: {result.PerSecond:F0}/s, p50 {result.P50Ms:F2} ms, p99 {result.P99Ms:F2} ms, {result.CpuMicroseconds:F1} µs of processor each, errors {result.Errors}");
                    // The first round warms up.
                    if (round > 0) subject.Results.Add(result);
                }
            }
        }
        finally
        {
            foreach (var subject in subjects) if (subject.Process is { } child) await child.DisposeAsync();
            File.Delete(script);
            configurations.Delete(recursive: true);
        }

        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, {connections} connections, {rounds} × {seconds} s each in turn, medians [least – most]");
        Console.WriteLine();
        Console.WriteLine("| before 8 stub workers | requests/s | p50 ms | p99 ms | processor µs/request | errors |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var subject in subjects)
        {
            Console.WriteLine($"| {subject.Name} | {Median(r => r.PerSecond, "F0")} | {Median(r => r.P50Ms, "F2")} | {Median(r => r.P99Ms, "F2")} | {Median(r => r.CpuMicroseconds, "F1")} | {subject.Results.Sum(r => r.Errors)} |");

            string Median(Func<WrkResult, double> value, string format)
            {
                var sorted = subject.Results.Select(value).Order().ToList();
                return string.Create(CultureInfo.InvariantCulture,
                    $"{sorted[sorted.Count / 2].ToString(format, CultureInfo.InvariantCulture)} [{sorted[0].ToString(format, CultureInfo.InvariantCulture)} – {sorted[^1].ToString(format, CultureInfo.InvariantCulture)}]");
            }
        }
    }

    private static Task<Child> StartOrchestratorAsync(int port, int? maxBatch = null)
    {
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["Access__Keys__bench"] = Key,
            ["Access__RequestsPerSecond"] = "1000000",
            ["Jobs__Path"] = Path.Combine(Path.GetTempPath(), $"lab-bench-{port}.db"),
        };
        if (maxBatch is { } batch) environment["Orchestrator__MaxBatch"] = Text(batch);
        for (var i = 0; i < WorkerCount; i++) environment[$"Workers__worker-{i + 1}"] = $"http://localhost:{FirstPort + i}";
        // The orchestrator as built beside this program, with the same configuration.
        var program = typeof(OrchestratorOptions).Assembly.Location;
        return Child.StartAsync("dotnet", [program], port, environment);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record Subject(string Name, string Path, Child? Process, int Port)
    {
        public List<WrkResult> Results { get; } = [];
    }
}
