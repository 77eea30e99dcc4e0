using System.Threading.Channels;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// The one loop that owns <see cref="DispatchState"/>. Everything else sends it messages through a channel and awaits
/// what it asked for; there is no lock.
/// </summary>
internal sealed class Dispatcher : BackgroundService, IDispatchEffects
{
    /// <summary>Deadlines and probes need no finer clock than this, and a long queue is not scanned more often.</summary>
    private static readonly TimeSpan Resolution = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Action<DispatchState>> _messages =
        Channel.CreateUnbounded<Action<DispatchState>>(new() { SingleReader = true });

    private readonly DispatchState _state;
    private readonly IWorkerClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IHostApplicationLifetime _lifetime;

    // The timer has gone off and is to be set again, even for the same reading. The loop's own.
    private bool _ticked;

    public Dispatcher(
        IOptions<OrchestratorOptions> options,
        IWorkerClient client,
        DispatchMetrics metrics,
        TimeProvider time,
        IHostApplicationLifetime lifetime,
        ILogger<Dispatcher> logger)
    {
        _client = client;
        _time = time;
        _logger = logger;
        _lifetime = lifetime;
        _state = new(options.Value, time, Random.Shared, this, metrics, logger);
    }

    /// <summary>Hands an entry in and waits for its end. Cancellation means that the client has hung up.</summary>
    public async Task<Outcome> SubmitAsync(QueueEntry entry, CancellationToken hungUp)
    {
        if (!Post(state => state.Submit(entry))) return DispatchState.Stopped;
        await using var registration = hungUp.UnsafeRegister(_ => Post(state => state.HangUp(entry)), null);
        return await entry.Completion;
    }

    /// <summary>Hands in a client's batch, admitted all or none, and waits for every end; the first failure ends the rest.</summary>
    /// <returns>How each ended; <see cref="OutcomeKind.Canceled"/> also where another one's failure ended it.</returns>
    public async Task<Outcome[]> SubmitBatchAsync(IReadOnlyList<QueueEntry> entries, CancellationToken hungUp)
    {
        if (!Post(state => state.Submit(entries))) return [DispatchState.Stopped];
        await using var registration = hungUp.UnsafeRegister(_ => HangUp(entries), null);
        var ends = entries.Select(entry => entry.Completion).ToArray();
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
    public void SetWorkers(IReadOnlyDictionary<string, Uri> addresses) => Post(state => state.SetWorkers(addresses));

    /// <summary>The worker table as it is now.</summary>
    public Task<Dictionary<string, WorkerStatus>> GetWorkersAsync(CancellationToken cancellation) =>
        AskAsync(state => state.Workers.Snapshot(), cancellation);

    /// <summary>Drains a worker or takes it back into service.</summary>
    /// <returns>Whether there is such a worker.</returns>
    public Task<bool> SetDrainingAsync(string name, bool draining, CancellationToken cancellation) =>
        AskAsync(state => state.SetDraining(name, draining), cancellation);

    /// <summary>How many workers there are, and how many of them get work.</summary>
    public Task<(int Alive, int All)> CountWorkersAsync(CancellationToken cancellation) =>
        AskAsync(state => (state.Workers.AliveCount, state.Workers.All.Count), cancellation);

    void IDispatchEffects.Send(DispatchCall call) => _ = RunAsync(call);

    void IDispatchEffects.Probe(WorkerNode worker) => _ = RunAsync(worker, worker.Address, readModel: worker.Quarantined);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var timer = _time.CreateTimer(_ => Post(Tick), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var armed = long.MaxValue;
        try
        {
            while (await _messages.Reader.WaitToReadAsync(stoppingToken))
            {
                while (_messages.Reader.TryRead(out var message)) message(_state);
                if (_state.NextDue == armed && !_ticked) continue;
                _ticked = false;
                armed = _state.NextDue;
                timer.Change(UntilDue(armed), Timeout.InfiniteTimeSpan);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            _messages.Writer.Complete();
            while (_messages.Reader.TryRead(out var message)) message(_state);
            _state.Stop();
        }
        catch (Exception e)
        {
            // A decision that throws is a defect that would strand every request: better to end and be restarted.
            DispatchLog.LoopFailed(_logger, e);
            Environment.ExitCode = 1;
            _lifetime.StopApplication();
            throw;
        }
    }

    private void Tick(DispatchState state)
    {
        _ticked = true;
        state.Tick();
    }

    private TimeSpan UntilDue(long due)
    {
        if (due == long.MaxValue) return Timeout.InfiniteTimeSpan;
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), due);
        return wait > Resolution ? wait : Resolution;
    }

    private bool Post(Action<DispatchState> message) => _messages.Writer.TryWrite(message);

    private async Task<T> AskAsync<T>(Func<DispatchState, T> question, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_messages.Writer.TryWrite(state => answer.TrySetResult(question(state))))
            throw new OperationCanceledException("The dispatcher has stopped.");
        return await answer.Task.WaitAsync(cancellation);
    }

    private async Task RunAsync(DispatchCall call)
    {
        // The loop must go on deciding while the call is being written.
        await Task.Yield();
        var reply = await _client.SendAsync(call);
        Post(state => state.Reply(call, reply));
    }

    private async Task RunAsync(WorkerNode worker, Uri address, bool readModel)
    {
        await Task.Yield();
        var (failure, model) = await _client.ProbeAsync(address, readModel, CancellationToken.None);
        // What was asked before the worker failed says nothing of it now.
        Post(state => state.Probed(worker, address, failure ?? (worker.Quarantined && !readModel ? "it has failed meanwhile" : null), model));
    }

    private void HangUp(IReadOnlyList<QueueEntry> entries) => Post(state =>
    {
        foreach (var entry in entries) state.HangUp(entry);
    });
}
