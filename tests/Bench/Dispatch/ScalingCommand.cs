using System.CommandLine;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Lab.Orchestrator;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Bench.Dispatch;

/// <summary>What one request costs the dispatcher's loop, by the number of workers and of requests that wait.</summary>
internal static class ScalingCommand
{
    private const int Requests = 100_000;

    public static Command Create()
    {
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5, Description = "Repetitions; the table shows medians." };
        var command = new Command("scaling", "Cost of a dispatch in the dispatcher's own loop, in this process.") { rounds };
        command.SetAction(parse => Run(parse.GetValue(rounds)));
        return command;
    }

    private static void Run(int rounds)
    {
        Console.WriteLine($"Nanoseconds of the loop per request (accept, dispatch, reply; MaxBatch=1), {Requests} requests, medians of {rounds} [least – most]");
        Console.WriteLine();
        Console.WriteLine("| workers | 1 waiting | 1,000 waiting | 100,000 waiting |");
        Console.WriteLine("|---|---|---|---|");
        Measure(workers: 8, waiting: 1);
        foreach (var workers in (int[])[8, 100, 1_000, 10_000])
        {
            Console.Write(string.Create(CultureInfo.InvariantCulture, $"| {workers:N0} |"));
            foreach (var waiting in (int[])[1, 1_000, 100_000])
            {
                var times = Enumerable.Range(0, rounds).Select(_ => Measure(workers, waiting)).Order().ToList();
                Console.Write(string.Create(CultureInfo.InvariantCulture, $" {times[times.Count / 2]:F0} [{times[0]:F0} – {times[^1]:F0}] |"));
            }

            Console.WriteLine();
        }
    }

    private static double Measure(int workers, int waiting)
    {
        var effects = new Effects();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var state = new DispatchState(
            new OrchestratorOptions { QueueCapacity = 1_000_000, MaxBatch = 1 },
            TimeProvider.System, new Random(1), effects, new(services.GetRequiredService<IMeterFactory>()), NullLogger.Instance);
        state.SetWorkers(Enumerable.Range(0, workers).ToDictionary(i => $"worker-{i}", i => new Uri($"http://worker-{i}:8000")));
        foreach (var worker in effects.Probes) state.Probed(worker, worker.Address, null);
        for (var i = 0; i < workers + waiting; i++) state.Submit(new QueueEntry("text", TimeSpan.FromSeconds(60)));

        var entries = Enumerable.Range(0, Requests).Select(_ => new QueueEntry("text", TimeSpan.FromSeconds(60))).ToArray();
        var reply = new WorkerReply.Answered([new(new("text", "A", [1f], 1, false), null)], 1);
        GC.Collect();
        var start = Stopwatch.GetTimestamp();
        foreach (var entry in entries)
        {
            state.Submit(entry);
            state.Reply(effects.Sent.Dequeue(), reply);
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Requests;
    }

    private sealed class Effects : IDispatchEffects
    {
        public Queue<DispatchCall> Sent { get; } = new();

        public List<WorkerNode> Probes { get; } = [];

        public void Send(DispatchCall call) => Sent.Enqueue(call);

        public void Ended(QueueEntry entry) => entry.Publish();

        public void Probe(WorkerNode worker) => Probes.Add(worker);
    }
}
