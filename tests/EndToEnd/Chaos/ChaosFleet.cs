using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using Lab.EndToEnd.Cluster;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;

namespace Lab.EndToEnd.Chaos;

/// <summary>Real workers and orchestrators, and somebody who harms them.</summary>
internal sealed class ChaosFleet : IAsyncDisposable
{
    private const int WorkerCount = 4;
    private const int HarmedAtOnce = 2;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(1200);
    private readonly List<LabService> _workers = [];
    private readonly HttpClient _probe = new() { Timeout = TimeSpan.FromSeconds(5) };

    /// <summary>Harm done, by kind, for the test to see that there was some.</summary>
    public ConcurrentDictionary<string, int> Harm { get; } = [];

    public List<LabService> Orchestrators { get; } = [];

    public async Task StartAsync(int orchestrators, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var ports = FreePorts.Take(WorkerCount + orchestrators);
        // Each answer is compared with the one that is known: 8 bits would make it depend on the texts beside it.
        for (var i = 0; i < WorkerCount; i++) _workers.Add(new("Worker", ports[i], new Dictionary<string, string> { ["Worker__Precision"] = "fp32" }));
        await Task.WhenAll(_workers.Select(worker => worker.StartAsync(_probe, cancellationToken)));
        for (var i = 0; i < orchestrators; i++)
        {
            var environment = new Dictionary<string, string>(settings)
            {
                // A worker that was stopped must be found out well within a client's patience.
                ["Orchestrator__DispatchTimeout"] = "00:00:02",
                // Here every worker fails again and again: a text is to be tried until its client has no more time.
                ["Orchestrator__MaxAttempts"] = "100",
            };
            for (var w = 0; w < WorkerCount; w++) environment[$"Workers__worker-{w + 1}"] = _workers[w].Address.ToString();
            Orchestrators.Add(new("Orchestrator", ports[WorkerCount + i], environment));
        }

        foreach (var orchestrator in Orchestrators) await orchestrator.StartAsync(_probe, cancellationToken);
    }

    /// <summary>What a worker says of each text, asked directly before any harm is done.</summary>
    public async Task<Dictionary<string, ModelAnswer>> AskWorkerAsync(IEnumerable<string> texts, CancellationToken cancellationToken)
    {
        var answers = new Dictionary<string, ModelAnswer>();
        foreach (var text in texts)
        {
            using var response = await _probe.PostAsJsonAsync(new Uri(_workers[0].Address, "/run_model"), new { text }, cancellationToken);
            response.EnsureSuccessStatusCode();
            answers[text] = (await response.Content.ReadFromJsonAsync<ModelAnswer>(WireJson.Relaxed.Options, cancellationToken))!;
        }

        return answers;
    }

    /// <summary>Kills, freezes and slows workers, up to half of them at once, until it is told to stop; then all are well again.</summary>
    public Task HarmAsync(int seed, CancellationToken enough, CancellationToken cancellationToken) => Task.WhenAll(
        Enumerable.Range(0, HarmedAtOnce).Select(hand => HarmByOneHandAsync(_workers.Where((_, i) => i % HarmedAtOnce == hand).ToList(), new(seed + hand), enough, cancellationToken)));

    public async ValueTask DisposeAsync()
    {
        _probe.Dispose();
        foreach (var service in _workers.Concat(Orchestrators)) await service.DisposeAsync();
    }

    private async Task HarmByOneHandAsync(List<LabService> workers, Random random, CancellationToken enough, CancellationToken cancellationToken)
    {
        while (!enough.IsCancellationRequested)
        {
            var kind = (string[])["kill", "freeze", "slow"];
            await HarmAsync(workers[random.Next(workers.Count)], kind[random.Next(kind.Length)], random, cancellationToken);
            await Task.Delay(ShortestPause + ((LongestPause - ShortestPause) * random.NextDouble()), cancellationToken);
        }
    }

    private async Task HarmAsync(LabService worker, string kind, Random random, CancellationToken cancellationToken)
    {
        Harm.AddOrUpdate(kind, 1, (_, count) => count + 1);
        switch (kind)
        {
            case "kill":
                await worker.KillAsync();
                await worker.StartAsync(_probe, cancellationToken);
                break;
            case "freeze":
                ChildProcess.Signal(worker.Pid, ChildProcess.Stop);
                await Task.Delay(TimeSpan.FromSeconds(2.5 + random.NextDouble()), cancellationToken);
                ChildProcess.Signal(worker.Pid, ChildProcess.Continue);
                break;
            case "slow":
                for (var i = 0; i < 20; i++)
                {
                    ChildProcess.Signal(worker.Pid, ChildProcess.Stop);
                    await Task.Delay(60, cancellationToken);
                    ChildProcess.Signal(worker.Pid, ChildProcess.Continue);
                    await Task.Delay(20, cancellationToken);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind.ToString(CultureInfo.InvariantCulture), "no such harm");
        }
    }
}
