using Lab.Bench.Cluster;
using Lab.Bench.Recording;

namespace Lab.Bench.Running;

/// <summary>
/// Lets some of the workers work and drains the others. When it is disposed of, every worker works that worked when it was
/// made, whatever happened meanwhile.
/// </summary>
internal sealed class FleetSize : IAsyncDisposable
{
    private const int Tries = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ClusterClient _cluster;
    private readonly TextWriter _errors;
    private readonly HashSet<string> _drained = new(StringComparer.Ordinal);

    private FleetSize(ClusterClient cluster, TextWriter errors, IReadOnlyList<string> names) => (_cluster, _errors, Names) = (cluster, errors, names);

    /// <summary>The workers that get work, in order.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether every worker works again.</summary>
    public bool IsRestored => _drained.Count == 0;

    /// <summary>Looks which workers there are; those that are drained or quarantined already are left alone.</summary>
    /// <param name="cluster">The orchestrator.</param>
    /// <param name="errors">Where to say that a worker could not be made to work again.</param>
    /// <param name="cancellation">Ends the wait for the orchestrator.</param>
    /// <exception cref="BenchException">There is none.</exception>
    public static async Task<FleetSize> TakeAsync(ClusterClient cluster, TextWriter errors, CancellationToken cancellation)
    {
        var workers = await cluster.GetWorkersAsync(cancellation);
        var names = workers.Where(worker => RunSession.IsAlive(worker.Value)).Select(worker => worker.Key).Order(WorkerNames.InOrder).ToList();
        return names.Count > 0 ? new(cluster, errors, names) : throw new BenchException(ExitCode.CannotReach, $"No worker of {cluster.Address} is at work.");
    }

    /// <summary>Lets the first so many workers work, and no other.</summary>
    public async Task SetAsync(int size, CancellationToken cancellation)
    {
        // First more, then less: at no moment is there nobody.
        foreach (var name in Names.Take(size).Where(_drained.Contains).ToList())
        {
            await _cluster.SetDrainingAsync(name, draining: false, cancellation);
            _drained.Remove(name);
        }

        foreach (var name in Names.Skip(size).Where(name => !_drained.Contains(name)).ToList())
        {
            // Remembered before the call: one that is cut short may have been heard.
            _drained.Add(name);
            try
            {
                await _cluster.SetDrainingAsync(name, draining: true, cancellation);
            }
            catch (BenchException e) when (e.Code is ExitCode.Usage)
            {
                // Heard, and refused: it works on.
                _drained.Remove(name);
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        for (var attempt = 1; _drained.Count > 0 && attempt <= Tries; attempt++)
        {
            foreach (var name in _drained.ToList())
            {
                try
                {
                    await _cluster.SetDrainingAsync(name, draining: false, CancellationToken.None);
                    _drained.Remove(name);
                }
                catch (BenchException e)
                {
                    if (attempt < Tries) continue;
                    await _errors.WriteLineAsync($"{name} is still drained ({e.Message}). Let it work again: curl -X POST {new Uri(_cluster.Address, $"/workers/{name}/resume")}");
                }
            }

            if (_drained.Count > 0 && attempt < Tries) await Task.Delay(Pause);
        }
    }
}
