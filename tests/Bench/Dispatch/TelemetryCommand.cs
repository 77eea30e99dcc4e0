using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.Bench.Dispatch;

/// <summary>What telemetry costs a request: sent nowhere, to a receiver that takes it, to a dead port, and to a receiver that never answers.</summary>
internal static class TelemetryCommand
{
    private const int FirstPort = 18200;
    private const string Script = """
        wrk.method = "POST"
        wrk.body = "the quick brown fox jumps over the lazy dog"
        wrk.headers["Content-Type"] = "text/plain"
        """;

    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Turns for each; the table shows medians." };
        var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => 5, Description = "Length of a turn." };
        var command = new Command("telemetry", "Orchestrator before eight stub workers, with receivers of telemetry in all conditions (needs wrk).") { rounds, seconds };
        command.SetAction(parse => RunAsync(parse.GetValue(rounds), parse.GetValue(seconds)));
        return command;
    }

    private static async Task RunAsync(int rounds, int seconds)
    {
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, Script);
        await using var stubs = await Child.StartAsync("dotnet",
            [Assembly.GetExecutingAssembly().Location, "stub-workers", "--port", Text(FirstPort), "--count", Text(DispatchCommand.WorkerCount)], FirstPort);
        using var silent = new TcpListener(IPAddress.Loopback, FirstPort + 31);
        // The system completes the connections and takes the first bytes; nobody ever reads or answers.
        silent.Start(backlog: 512);
        await using var answering = await AnswerAsync(FirstPort + 32);
        var subjects = new List<(string Name, Child Process, int Port, List<WrkResult> Results)>();
        foreach (var (name, receiver) in (List<(string, int?)>)[("no receiver", null), ("receiver that takes it", FirstPort + 32), ("dead port", FirstPort + 33), ("receiver that hangs", FirstPort + 31)])
            subjects.Add((name, await StartOrchestratorAsync(FirstPort + 20 + subjects.Count, receiver), FirstPort + 20 + subjects.Count, []));
        try
        {
            for (var round = 0; round <= rounds; round++)
            {
                foreach (var subject in subjects)
                {
                    var before = subject.Process.ProcessorTime;
                    var output = await Child.RunAsync("wrk", "-t2", "-c64", $"-d{seconds}s", "--latency", "-s", script, $"http://127.0.0.1:{subject.Port}/new_request");
                    // The first round warms up.
                    if (round > 0) subject.Results.Add(WrkResult.Parse(output, subject.Process.ProcessorTime - before));
                    Console.Error.WriteLine($"round {round} of {rounds}: {subject.Name}");
                }
            }
        }
        finally
        {
            foreach (var subject in subjects) await subject.Process.DisposeAsync();
            File.Delete(script);
        }

        Console.WriteLine($"{Environment.ProcessorCount} cores, 64 connections, {rounds} × {seconds} s each in turn, medians");
        Console.WriteLine();
        Console.WriteLine("| telemetry to | requests/s | p50 ms | p99 ms | processor µs/request | errors |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var (name, _, _, results) in subjects)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {Median(r => r.PerSecond):F0} | {Median(r => r.P50Ms):F2} | {Median(r => r.P99Ms):F2} | {Median(r => r.CpuMicroseconds):F1} | {results.Sum(r => r.Errors)} |"));

            double Median(Func<WrkResult, double> value) => results.Select(value).Order().ElementAt(results.Count / 2);
        }
    }

    private static Task<Child> StartOrchestratorAsync(int port, int? receiver) => ShippedOrchestrator.StartAsync(
        port, Path.Combine(Path.GetTempPath(), $"lab-bench-{port}.db"), FirstPort, DispatchCommand.WorkerCount,
        ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver is null ? "" : $"http://127.0.0.1:{receiver}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"));

    private static async Task<WebApplication> AnswerAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.MapFallback(async (HttpContext context) =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            return TypedResults.Bytes([], "application/x-protobuf");
        });
        await app.StartAsync();
        return app;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
