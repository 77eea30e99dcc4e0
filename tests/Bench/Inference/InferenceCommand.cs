using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Lab.Bench.Dispatch;

namespace Lab.Bench.Inference;

/// <summary>
/// Eight real workers with one model: how long each takes to be ready and how much memory all of them take, and then the
/// orchestrator against YARP before them, in turn.
/// </summary>
internal static class InferenceCommand
{
    private const int FirstPort = 18300;

    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "The model directory." };
        var worker = new Option<string>("--worker") { Required = true, Description = "Worker.dll, built for release." };
        var texts = new Option<string>("--texts") { Required = true, Description = "A file of texts, one a line." };
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Turns for each; the table shows medians." };
        var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => 5, Description = "Length of a turn." };
        var connections = new Option<int>("--connections") { DefaultValueFactory = _ => 64, Description = "Connections of wrk." };
        var command = new Command("inference", "Eight real workers: readiness, memory, and the orchestrator against YARP before them (needs wrk).")
        {
            model, worker, texts, rounds, seconds, connections,
        };
        command.SetAction((parse, cancellation) => RunAsync(
            Path.GetFullPath(parse.GetRequiredValue(model)), Path.GetFullPath(parse.GetRequiredValue(worker)), Path.GetFullPath(parse.GetRequiredValue(texts)),
            parse.GetValue(rounds), parse.GetValue(seconds), parse.GetValue(connections), cancellation));
        return command;
    }

    private static async Task RunAsync(string model, string worker, string texts, int rounds, int seconds, int connections, CancellationToken cancellation)
    {
        var home = Directory.CreateTempSubdirectory("lab-bench-");
        var script = Path.Combine(home.FullName, "texts.lua");
        await File.WriteAllTextAsync(script, Script(texts), cancellation);
        var children = new List<Child>();
        try
        {
            var workers = new RealWorkers(model, worker, Path.Combine(home.FullName, "cache"), FirstPort);
            await workers.MeasureAsync(rounds, cancellation);
            children.AddRange(await workers.StartAsync(cancellation));
            var yarp = FirstPort + 20;
            var orchestrator = FirstPort + 21;
            children.Add(await Child.StartAsync("dotnet", [Assembly.GetExecutingAssembly().Location, "yarp", "--port", Text(yarp), "--workers", Text(FirstPort)], yarp));
            children.Add(await StartOrchestratorAsync(orchestrator, home.FullName));
            var subjects = new List<(string Name, string Address, List<WrkResult> Results)>
            {
                ("Lab, as shipped", $"http://127.0.0.1:{orchestrator}/new_request", []),
                ("YARP LeastRequests, workers queue", $"http://127.0.0.1:{yarp}/run_model", []),
            };
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var (_, address, results) in subjects)
                {
                    var output = await Child.RunAsync("wrk", "-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "30s", "--latency", "-s", script, address);
                    // The first round warms up.
                    if (round > 0) results.Add(WrkResult.Parse(output, null));
                }
            }

            Console.WriteLine($"Memory of the workers after it (sum of PSS): {RealWorkers.PssMegabytes(children.Take(DispatchCommand.WorkerCount))} MB");
            Print(subjects, rounds, seconds, connections);
        }
        finally
        {
            foreach (var child in children) await child.DisposeAsync();
            home.Delete(recursive: true);
        }
    }

    private static void Print(List<(string Name, string Address, List<WrkResult> Results)> subjects, int rounds, int seconds, int connections)
    {
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, {connections} connections, {rounds} × {seconds} s each in turn, medians (least–most)");
        Console.WriteLine();
        Console.WriteLine("| before 8 real workers | requests/s | p50 ms | p99 ms | errors |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var (name, _, results) in subjects)
        {
            Console.WriteLine($"| {name} | {Median(r => r.PerSecond)} | {Median(r => r.P50Ms)} | {Median(r => r.P99Ms)} | {results.Sum(r => r.Errors)} |");

            string Median(Func<WrkResult, double> value)
            {
                var sorted = results.Select(value).Order().ToList();
                return string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Count / 2]:F0} ({sorted[0]:F0}–{sorted[^1]:F0})");
            }
        }
    }

    private static Task<Child> StartOrchestratorAsync(int port, string home) =>
        ShippedOrchestrator.StartAsync(port, Path.Combine(home, "jobs.db"), FirstPort, DispatchCommand.WorkerCount);

    private static string Script(string texts) => $$"""
        local texts = {}
        for line in io.lines("{{texts}}") do texts[#texts + 1] = line end
        local at = 0
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "text/plain"
        function request()
          at = at % #texts + 1
          return wrk.format(nil, nil, nil, texts[at])
        end
        """;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
