using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Lab.Orchestrator;
using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Bench.Dispatch;

/// <summary>
/// What one request costs the dispatcher: accepted, dispatched (one text each time), answered. As many come as go, so
/// that the queue keeps its length. Without the network: time and bytes here are the decisions' alone.
/// </summary>
[MemoryDiagnoser]
[SuppressMessage("Performance", "CA1515", Justification = "BenchmarkDotNet finds public types only.")]
public class DispatchCost
{
    private readonly Effects _effects = new();
    private readonly WorkerReply _reply = new WorkerReply.Answered([new(new("text", "A", [1f], 1, false), null)], 1);
    private ServiceProvider? _services;
    private DispatchState? _state;

    /// <summary>How many workers there are, all of them computing.</summary>
    [Params(8, 100, 1_000, 10_000)]
    public int Workers { get; set; }

    /// <summary>How many requests wait.</summary>
    [Params(1, 1_000, 100_000)]
    public int Waiting { get; set; }

    /// <summary>Makes a fleet that computes and a queue that waits.</summary>
    [GlobalSetup]
    public void Fill()
    {
        _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        _state = new(
            new OrchestratorOptions { QueueCapacity = 1_000_000, MaxBatch = 1 },
            TimeProvider.System, new Random(1), _effects, new(_services.GetRequiredService<IMeterFactory>()), NullLogger.Instance);
        _state.SetWorkers(Enumerable.Range(0, Workers).ToDictionary(i => $"worker-{i}", i => new Uri($"http://worker-{i}:8000")));
        foreach (var worker in _effects.Probes) _state.Probed(worker, worker.Address, null);
        for (var i = 0; i < Workers + Waiting; i++) _state.Submit(Entry());
    }

    /// <summary>Lets go of what <see cref="Fill"/> made.</summary>
    [GlobalCleanup]
    public void Empty() => _services?.Dispose();

    /// <summary>One request comes, and the oldest dispatch is answered.</summary>
    [Benchmark]
    public void Request()
    {
        _state!.Submit(Entry());
        _state.Reply(_effects.Sent.Dequeue(), _reply);
    }

    private static QueueEntry Entry() => new(Guid.CreateVersion7(), "text", TimeSpan.FromHours(1));

    private sealed class Effects : IDispatchEffects
    {
        public Queue<DispatchCall> Sent { get; } = new();

        public List<WorkerNode> Probes { get; } = [];

        public void Send(DispatchCall call) => Sent.Enqueue(call);

        public void Ended(QueueEntry entry) => entry.Publish();

        public void Probe(WorkerNode worker) => Probes.Add(worker);

        public void AskPresence(WorkerNode worker)
        {
        }
    }
}
