using System.Diagnostics.Metrics;
using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>The decisions of an orchestrator as they ship, and a network and a clock that are the simulation's.</summary>
internal sealed class SimulatedOrchestrator : IDispatchEffects
{
    // As the dispatcher's own timer: it needs no finer clock.
    private const double Resolution = 10;

    private readonly SimulatedFleet _fleet;
    private readonly List<QueueEntry> _ended = [];
    private double _tickAt = double.MaxValue;

    public SimulatedOrchestrator(SimulatedFleet fleet, string id, int seed)
    {
        _fleet = fleet;
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        State = new(new OrchestratorOptions(), fleet.Time, new Random(seed), this, new(services.GetRequiredService<IMeterFactory>()), NullLogger.Instance, id: id);
    }

    public DispatchState State { get; }

    /// <summary>Whether it does nothing any more.</summary>
    public bool IsDead { get; set; }

    /// <summary>Its calls, and how many of them met a busy worker.</summary>
    public int Calls { get; private set; }

    /// <inheritdoc cref="Calls"/>
    public int Refused { get; private set; }

    /// <summary>Whoever waits for an entry goes on with this.</summary>
    public Dictionary<QueueEntry, Action<Outcome>> Waiting { get; } = [];

    /// <summary>Lets it do something, then what has come of it.</summary>
    public void Do(Action<DispatchState> action)
    {
        if (IsDead) return;
        action(State);
        foreach (var entry in _ended.ToList())
        {
            _ended.Remove(entry);
            entry.Publish();
            if (Waiting.Remove(entry, out var goOn)) goOn(entry.Completion.Result);
        }

        ArmTimer();
    }

    public void Refuse(DispatchCall call, double busyMs)
    {
        Refused++;
        Do(state => state.Reply(call, new WorkerReply.Busy(PresenceReport.BusyTime(busyMs))));
    }

    void IDispatchEffects.Send(DispatchCall call)
    {
        Calls++;
        _fleet.Send(this, call);
    }

    void IDispatchEffects.Ended(QueueEntry entry) => _ended.Add(entry);

    void IDispatchEffects.Probe(WorkerNode worker) =>
        _fleet.After(_fleet.Latency() * 2, () => Do(state => state.Probed(worker, worker.Address, null)));

    void IDispatchEffects.AskPresence(WorkerNode worker) => _fleet.After(_fleet.Latency(), () =>
    {
        if (IsDead) return;
        var answer = _fleet.At(worker.Address).Hear(State.Id, _fleet.Now);
        _fleet.After(_fleet.Latency(), () => Do(state => state.Heard(worker, worker.Address, PresenceReport.Of(answer))));
    });

    private void ArmTimer()
    {
        if (State.NextDue == long.MaxValue) return;
        var due = Math.Max(_fleet.MillisecondsOf(State.NextDue), _fleet.Now + Resolution);
        if (due >= _tickAt) return;
        _tickAt = due;
        _fleet.After(due - _fleet.Now, () =>
        {
            if (_tickAt != due) return;
            _tickAt = double.MaxValue;
            Do(state => state.Tick());
        });
    }
}
