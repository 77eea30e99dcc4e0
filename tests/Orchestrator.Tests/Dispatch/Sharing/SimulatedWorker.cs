using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>
/// A worker as orchestrators meet it: one dispatch at a time, room for one of each other orchestrator meanwhile, 429 beyond
/// that, and who has shown itself lately.
/// </summary>
internal sealed class SimulatedWorker(Uri address)
{
    private const double Memory = 1500;
    private readonly Dictionary<string, double> _heardAt = [];
    private double _msPerText;
    private double _expectedMs;
    private double _begunAt;
    private double _endedAt;
    private double _metAt = -1;
    private double _arrivedAt;
    private readonly Queue<(SimulatedOrchestrator Owner, DispatchCall Call, double Cost, double ArrivedAt)> _waiting = new();

    public Uri Address { get; } = address;

    /// <summary>What it computes now.</summary>
    public DispatchCall? Call { get; private set; }

    /// <summary>Whose it is.</summary>
    public SimulatedOrchestrator? For { get; private set; }

    /// <summary>Processor time that it still needs for it, in milliseconds.</summary>
    public double Left { get; set; }

    /// <summary>Whether others have come since the call did that it computes.</summary>
    public bool IsWanted => _metAt >= _arrivedAt;

    /// <summary>Texts computed, by whose they were.</summary>
    public Dictionary<SimulatedOrchestrator, int> Texts { get; } = [];

    /// <summary>Whether it tells nobody of others, as a worker of an earlier version.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Why it will be gone.</summary>
    public string? Leaving { get; set; }

    /// <summary>Takes a call, at once or after others.</summary>
    /// <returns>Whether there is room.</returns>
    public bool Take(SimulatedOrchestrator owner, DispatchCall call, double cost, double now)
    {
        if (Call is null)
        {
            Begin(owner, call, cost, now, now);
            return true;
        }

        _metAt = now;
        if (_waiting.Count + 1 >= _heardAt.Count(heard => now - heard.Value < Memory)) return false;
        _waiting.Enqueue((owner, call, cost, now));
        return true;
    }

    private void Begin(SimulatedOrchestrator owner, DispatchCall call, double cost, double arrivedAt, double now)
    {
        (For, Call, Left, _arrivedAt, _begunAt) = (owner, call, cost, arrivedAt, now);
        _expectedMs = call.Entries.Count * _msPerText;
        Texts[owner] = Texts.GetValueOrDefault(owner) + call.Entries.Count;
    }

    public void End(double now)
    {
        var each = (now - _begunAt) / Call!.Entries.Count;
        _msPerText = _msPerText == 0 ? each : _msPerText + (0.2 * (each - _msPerText));
        (For, Call, _endedAt) = (null, null, now);
        if (_waiting.TryDequeue(out var next)) Begin(next.Owner, next.Call, next.Cost, next.ArrivedAt, now);
    }

    public Presence Hear(string id, double now)
    {
        if (!IsSilent) _heardAt[id] = now;
        return new(
            [.. _heardAt.Where(heard => now - heard.Value < Memory).Select(heard => heard.Key)],
            Call is null ? null : Busy(now),
            Call is null ? Math.Floor(now - _endedAt) : null,
            Leaving is null ? null : new(Leaving, DateTime.UnixEpoch));
    }

    /// <summary>For how many milliseconds it has computed its call.</summary>
    public double Took(double now) => now - _begunAt;

    /// <summary>In how many milliseconds it is about free.</summary>
    public double Busy(double now) => Math.Clamp(Math.Ceiling(Math.Max(_expectedMs - (now - _begunAt), (now - _begunAt) / 4)), 1, DispatchHeaders.MaxBusyMs);
}
