using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>A worker as orchestrators meet it: one dispatch at a time, 429 meanwhile, and who has shown itself lately.</summary>
internal sealed class SimulatedWorker(Uri address)
{
    private const double Memory = 1500;
    private readonly Dictionary<string, double> _heardAt = [];
    private double _msPerText;
    private double _expectedMs;
    private double _begunAt;

    public Uri Address { get; } = address;

    /// <summary>What it computes now.</summary>
    public DispatchCall? Call { get; private set; }

    /// <summary>Whose it is.</summary>
    public SimulatedOrchestrator? For { get; private set; }

    /// <summary>Processor time that it still needs for it, in milliseconds.</summary>
    public double Left { get; set; }

    /// <summary>Whether it has refused somebody since it began.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>Texts computed, by whose they were.</summary>
    public Dictionary<SimulatedOrchestrator, int> Texts { get; } = [];

    /// <summary>Whether it tells nobody of others, as a worker of an earlier version.</summary>
    public bool IsSilent { get; set; }

    /// <summary>Why it will be gone.</summary>
    public string? Leaving { get; set; }

    public void Begin(SimulatedOrchestrator owner, DispatchCall call, double cost, double now)
    {
        (For, Call, Left, IsWanted, _begunAt) = (owner, call, cost, false, now);
        _expectedMs = call.Entries.Count * _msPerText;
        Texts[owner] = Texts.GetValueOrDefault(owner) + call.Entries.Count;
    }

    public void End(double now)
    {
        var each = (now - _begunAt) / Call!.Entries.Count;
        _msPerText = _msPerText == 0 ? each : _msPerText + (0.2 * (each - _msPerText));
        (For, Call) = (null, null);
    }

    /// <summary>Turns somebody away, and tells for how many milliseconds it is busy.</summary>
    public double Refuse(double now)
    {
        IsWanted = true;
        return Busy(now);
    }

    public Presence Hear(string id, double now)
    {
        if (!IsSilent) _heardAt[id] = now;
        return new(
            [.. _heardAt.Where(heard => now - heard.Value < Memory).Select(heard => heard.Key)],
            Call is null ? null : Busy(now),
            Leaving is null ? null : new(Leaving, DateTime.UnixEpoch));
    }

    private double Busy(double now) => Math.Clamp(Math.Ceiling(Math.Max(_expectedMs - (now - _begunAt), (now - _begunAt) / 4)), 1, DispatchHeaders.MaxBusyMs);
}
