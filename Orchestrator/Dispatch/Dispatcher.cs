using System.Runtime.CompilerServices;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// The owner of <see cref="DispatchState"/>. Everything else sends it messages and awaits what it asked for; a
/// <see cref="Mailbox{TMessage,TOutput}"/> sees to it that one message is handled at a time. What a message brings about
/// in the world outside is carried out after its turn.
/// </summary>
internal sealed partial class Dispatcher : IHostedService, IDispatchEffects, IAsyncDisposable
{
    /// <summary>Deadlines and probes need no finer clock than this, and a long queue is not scanned more often.</summary>
    private static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(10);

    private const int MaxKeptOutput = 256;

    private readonly Mailbox<Message, Output> _mailbox;
    private readonly DispatchState _state;
    private readonly IWorkerClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly ITimer _timer;
    private readonly Action<QueueEntry> _hangUp;

    // An output that has been carried out and can be filled again.
    private Output? _emptied;

    // What follows is touched only while a message is handled.
    private Output _output = new();
    private long _armed = long.MaxValue;
    private bool _ticked;
    private bool _stopped;

    public Dispatcher(
        IOptions<OrchestratorOptions> options,
        IWorkerClient client,
        DispatchMetrics metrics,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        IKeyHolders keys,
        ILogger<Dispatcher> logger)
    {
        _client = client;
        _time = time;
        _logger = logger;
        _lifetime = lifetime;
        _state = new(options.Value, time, Random.Shared, this, metrics, logger, keys.HasOther);
        metrics.Observe(() => _state.Workers.Counts, () => _state.Workers.Share);
        _mailbox = new(Handle, Settle, Flush);
        _hangUp = entry => _mailbox.Post(new(MessageKind.HangUp, entry));
        _timer = time.CreateTimer(_ => _mailbox.Post(new(MessageKind.Tick)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private enum MessageKind { Submit, SubmitAll, HangUp, Reply, Tick, Do }

    /// <summary>Hands an entry in and waits for its end. Cancellation means that the client has hung up.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Outcome> SubmitAsync(QueueEntry entry, CancellationToken hungUp)
    {
        _mailbox.Post(new(MessageKind.Submit, entry));
        entry.HangUp = _hangUp;
        await using var registration = hungUp.UnsafeRegister(static entry => ((QueueEntry)entry!).HangUp!((QueueEntry)entry), entry);
        return await entry.Completion;
    }

    /// <summary>Hands a client's batch in, which is accepted or refused as a whole, and waits for the end of all of it.</summary>
    /// <returns>How each ended: where one has no answer the rest is not computed for nothing, but ends as if the client had hung up.</returns>
    public async Task<Outcome[]> SubmitAsync(IReadOnlyList<QueueEntry> entries, CancellationToken hungUp)
    {
        _mailbox.Post(new(MessageKind.SubmitAll, entries));
        await using var registration = hungUp.UnsafeRegister(_ => HangUp(entries), null);
        var ends = Array.ConvertAll([.. entries], entry => entry.Completion);
        await foreach (var end in Task.WhenEach(ends))
        {
            if ((await end).Kind is OutcomeKind.Answered) continue;
            HangUp(entries);
            break;
        }

        return await Task.WhenAll(ends);
    }

    /// <summary>The model that the workers serve; <c>null</c> until one of them has told.</summary>
    public ModelInfo? Model => _state.Workers.Model;

    /// <summary>Takes over a new list of workers.</summary>
    public void SetWorkers(IReadOnlyDictionary<string, Uri> addresses) => Do(state => state.SetWorkers(addresses));

    /// <summary>The worker table as it is now.</summary>
    public Task<Dictionary<string, WorkerStatus>> GetWorkersAsync(CancellationToken cancellationToken) =>
        AskAsync(state => state.Workers.Snapshot(), cancellationToken);

    /// <summary>The state of the fleet at this moment.</summary>
    /// <param name="seen">The number of the last request that the asker has seen.</param>
    /// <param name="cancellationToken">Cancelled when the asker no longer waits.</param>
    public Task<FleetSnapshot> TakeSnapshotAsync(long seen, CancellationToken cancellationToken) =>
        AskAsync(state => FleetSnapshot.Of(state, _time, seen), cancellationToken);

    /// <summary>Drains a worker or takes it back into service.</summary>
    /// <returns>Whether there is such a worker.</returns>
    public Task<bool> SetDrainingAsync(string name, bool draining, CancellationToken cancellationToken) =>
        AskAsync(state => state.SetDraining(name, draining), cancellationToken);

    /// <summary>How many workers there are, and how many of them get work.</summary>
    public Task<(int Alive, int All)> CountWorkersAsync(CancellationToken cancellationToken) =>
        AskAsync(state => (state.Workers.AliveCount, state.Workers.All.Count), cancellationToken);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends whatever has not ended; the server has stopped taking requests before.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Do(state =>
        {
            _stopped = true;
            state.Stop();
        });
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    void IDispatchEffects.Send(DispatchCall call) => _output.Calls.Add(call);

    void IDispatchEffects.Probe(WorkerNode worker) => _output.Probes.Add((worker, worker.Address, worker.Quarantined));

    void IDispatchEffects.AskPresence(WorkerNode worker) => _output.Questions.Add((worker, worker.Address));

    void IDispatchEffects.Ended(QueueEntry entry) => _output.Ended.Add(entry);

    private void Handle(Message message)
    {
        try
        {
            switch (message.Kind)
            {
                case MessageKind.Submit when _stopped:
                    _state.Refuse((QueueEntry)message.Subject!);
                    break;
                case MessageKind.Submit:
                    _state.Submit((QueueEntry)message.Subject!);
                    break;
                case MessageKind.SubmitAll when _stopped:
                    foreach (var entry in (IReadOnlyList<QueueEntry>)message.Subject!) _state.Refuse(entry);
                    break;
                case MessageKind.SubmitAll:
                    _state.Submit((IReadOnlyList<QueueEntry>)message.Subject!);
                    break;
                case MessageKind.HangUp:
                    _state.HangUp((QueueEntry)message.Subject!);
                    break;
                case MessageKind.Reply:
                    _state.Reply((DispatchCall)message.Subject!, message.Detail!);
                    break;
                case MessageKind.Tick:
                    _ticked = true;
                    if (!_stopped) _state.Tick();
                    break;
                case MessageKind.Do:
                    ((Action<DispatchState>)message.Subject!)(_state);
                    break;
            }
        }
#pragma warning disable CA1031 // A decision that throws is a defect that would strand every request: better to end and be restarted.
        catch (Exception e)
#pragma warning restore CA1031
        {
            DispatchLog.LoopFailed(_logger, e);
            Environment.ExitCode = 1;
            _lifetime.StopApplication();
        }
    }

    private Output? Settle()
    {
        if (_state.NextDue != _armed || _ticked)
        {
            _ticked = false;
            _armed = _state.NextDue;
            _timer.Change(UntilDue(_armed), Timeout.InfiniteTimeSpan);
        }

        if (_output.IsEmpty) return null;
        var output = _output;
        _output = Interlocked.Exchange(ref _emptied, null) ?? new();
        return output;
    }

    private void Flush(Output output)
    {
        // Workers first: each is idle until its call is under way, while an answer only has to be written.
        foreach (var call in output.Calls) _ = RunAsync(call);
        foreach (var (worker, address, readModel) in output.Probes) _ = ProbeAsync(worker, address, readModel);
        foreach (var (worker, address) in output.Questions) _ = AskPresenceAsync(worker, address);
        foreach (var entry in output.Ended) entry.Publish();
        // What a long turn has needed is not kept for the short ones after it.
        if (output.Ended.Count > MaxKeptOutput) return;
        output.Clear();
        _emptied = output;
    }

    private TimeSpan UntilDue(long due)
    {
        if (due == long.MaxValue) return Timeout.InfiniteTimeSpan;
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), due);
        return wait > Resolution ? wait : Resolution;
    }

    private void Do(Action<DispatchState> action) => _mailbox.Post(new(MessageKind.Do, action));

    private async Task<T> AskAsync<T>(Func<DispatchState, T> question, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Do(state => answer.TrySetResult(question(state)));
        return await answer.Task.WaitAsync(cancellationToken);
    }

    private void HangUp(IReadOnlyList<QueueEntry> entries)
    {
        foreach (var entry in entries) _mailbox.Post(new(MessageKind.HangUp, entry));
    }

    private readonly record struct Message(MessageKind Kind, object? Subject = null, WorkerReply? Detail = null);

    /// <summary>What the messages of one turn bring about.</summary>
    private sealed class Output
    {
        public List<DispatchCall> Calls { get; } = [];

        public List<(WorkerNode Worker, Uri Address, bool ReadModel)> Probes { get; } = [];

        public List<(WorkerNode Worker, Uri Address)> Questions { get; } = [];

        public List<QueueEntry> Ended { get; } = [];

        public void Clear()
        {
            Calls.Clear();
            Probes.Clear();
            Questions.Clear();
            Ended.Clear();
        }

        public bool IsEmpty => Calls.Count == 0 && Probes.Count == 0 && Questions.Count == 0 && Ended.Count == 0;
    }
}
