using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>
/// Orchestrators' decisions over one fleet in simulated time: workers that share two cores, a network with latency, and
/// clients that wait for their answers. What comes of it depends on the decisions alone and not on this machine.
/// </summary>
internal sealed class SimulatedFleet
{
    private const double Cores = 2;

    // What a dispatch and each text of it take of a core, in milliseconds; texts differ.
    private const double DispatchMs = 1.2;
    private const double TextMs = 1.6;

    private const double Spread = 0.3;

    // A client's own time between an answer and its next request, with what lies between.
    private const double ClientMs = 1;

    private readonly PriorityQueue<Action, (double At, long Order)> _events = new();
    private readonly long _start = new FakeTimeProvider().GetTimestamp();
    private readonly Random _random;
    private readonly Dictionary<Uri, SimulatedWorker> _workers = [];
    private long _order;
    private double _computedUntil;

    public SimulatedFleet(int workers, int orchestrators, int seed = 1)
    {
        _random = new(seed);
        var addresses = Enumerable.Range(1, workers).ToDictionary(i => $"worker-{i}", i => new Uri($"http://worker-{i}:8000"));
        foreach (var address in addresses.Values) _workers.Add(address, new(address));
        for (var i = 0; i < orchestrators; i++) Orchestrators.Add(new(this, OrchestratorId.Create(), seed + i));
        foreach (var orchestrator in Orchestrators) orchestrator.Do(state => state.SetWorkers(addresses));
    }

    public FakeTimeProvider Time { get; } = new();

    /// <summary>Milliseconds since the start.</summary>
    public double Now { get; private set; }

    public List<SimulatedOrchestrator> Orchestrators { get; } = [];

    public IReadOnlyCollection<SimulatedWorker> Workers => _workers.Values;

    /// <summary>Every request: when it ended, how long it took, and how, by whom it was asked.</summary>
    public List<(double At, double Took, OutcomeKind Kind, SimulatedOrchestrator By)> Ended { get; } = [];

    public SimulatedWorker At(Uri address) => _workers[address];

    /// <summary>Milliseconds from one machine to another.</summary>
    public double Latency() => 0.15 + (0.3 * _random.NextDouble());

    /// <summary>A clock reading as milliseconds since the start.</summary>
    public double MillisecondsOf(long timestamp) => (timestamp - _start) * 1000.0 / Time.TimestampFrequency;

    /// <summary>Lets something happen later.</summary>
    public void After(double milliseconds, Action action) => _events.Enqueue(action, (Now + Math.Max(0, milliseconds), _order++));

    /// <summary>Begins as many clients at an orchestrator, each with one request at a time.</summary>
    public void AddClients(SimulatedOrchestrator orchestrator, int count, Func<bool>? goesOn = null)
    {
        for (var i = 0; i < count; i++) After(_random.NextDouble() * 20, Ask);

        void Ask()
        {
            if (orchestrator.IsDead || goesOn?.Invoke() == false) return;
            var entry = new QueueEntry(Guid.CreateVersion7(), "The acting is superb and the story moves you.", TimeSpan.FromSeconds(30));
            var asked = Now;
            orchestrator.Waiting.Add(entry, outcome =>
            {
                Ended.Add((Now, Now - asked, outcome.Kind, orchestrator));
                After(ClientMs * (0.5 + _random.NextDouble()), Ask);
            });
            orchestrator.Do(state => state.Submit(entry));
        }
    }

    /// <summary>Brings a call to its worker.</summary>
    public void Send(SimulatedOrchestrator orchestrator, DispatchCall call) => After(Latency(), () =>
    {
        Compute();
        var worker = At(call.Address);
        var cost = (DispatchMs + call.Entries.Sum(_ => TextMs * (0.6 + (0.8 * _random.NextDouble())))) * Noise();
        if (worker.Take(orchestrator, call, cost, Now)) return;
        var busy = worker.Busy(Now);
        After(Latency(), () => orchestrator.Refuse(call, busy));
    });

    /// <summary>Goes on for so long.</summary>
    public void Run(double milliseconds)
    {
        var end = Now + milliseconds;
        while (true)
        {
            var next = _events.TryPeek(out _, out var first) ? first.At : double.MaxValue;
            var (finish, worker) = NextFinish();
            var now = Math.Min(Math.Min(next, finish), end);
            if (now > Now)
            {
                Now = now;
                // Its ticks are 100 ns, and time must not stand still for long.
                var ahead = TimeSpan.FromTicks((long)(Now * TimeSpan.TicksPerMillisecond)) - Time.GetElapsedTime(_start);
                if (ahead > TimeSpan.Zero) Time.Advance(ahead);
            }

            Compute();
            if (Now >= end) return;
            if (finish <= next) Finish(worker!);
            else _events.Dequeue()();
        }
    }

    // Dispatches of equal size differ as they do on a machine that does other things too: log-normally.
    private double Noise() => Math.Exp(Spread * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));

    // Cores are shared out evenly among those that compute, none of which can use more than one.
    private double Rate() => Math.Min(1, Cores / Math.Max(1, _workers.Values.Count(worker => worker.Call is not null)));

    private void Compute()
    {
        var done = (Now - _computedUntil) * Rate();
        foreach (var worker in _workers.Values)
            if (worker.Call is not null) worker.Left -= done;
        _computedUntil = Now;
    }

    private (double At, SimulatedWorker? Worker) NextFinish()
    {
        var first = _workers.Values.Where(worker => worker.Call is not null).MinBy(worker => worker.Left);
        return first is null ? (double.MaxValue, null) : (Now + (Math.Max(0, first.Left) / Rate()), first);
    }

    private void Finish(SimulatedWorker worker)
    {
        var (orchestrator, call) = (worker.For!, worker.Call!);
        var reply = new WorkerReply.Answered([.. call.Entries.Select(entry => new TextReply(new("", "A", [1f], 1, false), null))], worker.Took(Now)) { IsWanted = worker.IsWanted };
        worker.End(Now);
        After(Latency(), () => orchestrator.Do(state => state.Reply(call, reply)));
    }
}
