using System.Globalization;
using Lab.Bench.Cluster;
using Lab.Bench.Recording;
using Lab.Bench.Running;

namespace Lab.Bench.Faults;

/// <summary>Kills, freezes and slows one worker after the other while a load runs, and looks whether each comes back.</summary>
/// <param name="harm">Does it.</param>
/// <param name="cluster">Knows who works.</param>
/// <param name="options">What to do.</param>
/// <param name="say">Tells the user.</param>
/// <param name="time">The clock.</param>
internal sealed class FaultSchedule(IWorkerHarm harm, ClusterClient cluster, FaultOptions options, Action<string> say, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<Harm> _harms = [];
    private readonly Random _random = new(options.Seed);

    /// <summary>Does harm until the load has ended; nobody is frozen when this returns.</summary>
    /// <param name="begun">Clock reading of the load's beginning.</param>
    /// <param name="ended">Cancelled when the load has ended.</param>
    public async Task RunAsync(long begun, CancellationToken ended)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                await Task.Delay(options.Pause, time, ended);
                var kind = options.Kinds[i % options.Kinds.Count];
                var workers = await PlacesAsync(ended);
                // With one alone there would be nobody to take over, which is another experiment.
                if (workers.Count < 2) continue;
                await HarmAsync(kind, workers[_random.Next(workers.Count)], begun, ended);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The load is over.
        }
    }

    /// <summary>Waits until every harmed worker works, for a minute at most, and tells what was done.</summary>
    public async Task<FaultsResult> FinishAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var alive = (await PlacesAsync(cancellation)).Select(worker => worker.Name).ToHashSet();
            var missing = _harms.Select(done => done.Worker).Distinct().Where(worker => !alive.Contains(worker)).Order(WorkerNames.InOrder).ToList();
            if (missing.Count == 0 || time.GetElapsedTime(begun) > Patience) return new(_harms, missing);
            await Task.Delay(Look, time, cancellation);
        }
    }

    /// <summary>The workers that get work.</summary>
    public async Task<IReadOnlyList<WorkerPlace>> PlacesAsync(CancellationToken cancellation) => [.. (await cluster.GetWorkersAsync(cancellation))
        .Where(worker => RunSession.IsAlive(worker.Value)).OrderBy(worker => worker.Key, WorkerNames.InOrder)
        .Select(worker => new WorkerPlace(worker.Key, worker.Value.Ip, worker.Value.Port))];

    private async Task HarmAsync(string kind, WorkerPlace worker, long begun, CancellationToken ended)
    {
        var from = Seconds();
        string? note = null;
        say($"{kind} {worker.Name}");
        try
        {
            switch (kind)
            {
                case FaultOptions.Kill:
                    await harm.KillAsync(worker, ended);
                    note = await BackAsync(worker, ended);
                    break;
                case FaultOptions.FreezeKind:
                    await harm.FreezeAsync(worker, ended);
                    await Task.Delay(options.Freeze, time, ended);
                    break;
                default:
                    await harm.SlowAsync(worker, options.Freeze, ended);
                    note = "ran a quarter of the time";
                    break;
            }
        }
        catch (BenchException e)
        {
            note = $"not done: {e.Message}";
        }
        catch (OperationCanceledException)
        {
            note = "the load ended first";
            throw;
        }
        finally
        {
            await harm.ThawAsync(worker, CancellationToken.None);
            _harms.Add(new(kind, worker.Name, Math.Round(from, 3), Math.Round(Seconds(), 3), note));
        }

        double Seconds() => time.GetElapsedTime(begun).TotalSeconds;
    }

    // Somebody else starts it again: AppHost, or Swarm.
    private async Task<string> BackAsync(WorkerPlace worker, CancellationToken ended)
    {
        var begun = time.GetTimestamp();
        var gone = false;
        while (time.GetElapsedTime(begun) < Patience)
        {
            var works = (await PlacesAsync(ended)).Contains(worker);
            gone |= !works;
            var waited = time.GetElapsedTime(begun);
            if (works && gone) return string.Create(CultureInfo.InvariantCulture, $"at work again after {waited.TotalSeconds:0.0} s");
            await Task.Delay(Look, time, ended);
        }

        return gone ? "not at work again after a minute" : "the orchestrator did not notice";
    }
}

/// <summary>What harm to do.</summary>
/// <param name="Kinds">In turn: <see cref="Kill"/>, <see cref="FreezeKind"/>, <see cref="Slow"/>.</param>
/// <param name="Pause">Between one harm and the next.</param>
/// <param name="Freeze">How long a worker is frozen or slowed.</param>
/// <param name="Seed">The same seed chooses the same workers.</param>
internal sealed record FaultOptions(IReadOnlyList<string> Kinds, TimeSpan Pause, TimeSpan Freeze, int Seed)
{
    public const string Kill = "kill";
    public const string Slow = "slow";

    /// <summary>The kind of harm that stops a worker for a while.</summary>
    public const string FreezeKind = "freeze";
}
