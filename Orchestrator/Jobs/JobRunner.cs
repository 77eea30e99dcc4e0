using System.Collections.Concurrent;
using System.Threading.Channels;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Jobs;

/// <summary>
/// Takes jobs from the store in order of submission and hands them to the dispatcher, where they wait in one queue
/// with the requests of waiting clients: no more than a window of them at once, so that they never fill it. Told of
/// submissions by the store; the clock is only a safety net.
/// </summary>
internal sealed class JobRunner : BackgroundService
{
    private static readonly TimeSpan MaxPollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastWrites = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<Guid, RunningJob> _running = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _lastWrites = new();
    private readonly CancellationToken _mayWrite;
    private readonly IJobStore _store;
    private readonly Dispatcher _dispatcher;
    private readonly JobsOptions _options;
    private readonly int _window;
    private readonly JobMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile bool _moreQueued;
    private volatile bool _unavailable;

    public JobRunner(
        IJobStore store,
        Dispatcher dispatcher,
        IOptions<JobsOptions> options,
        IOptions<OrchestratorOptions> orchestrator,
        JobMetrics metrics,
        TimeProvider time,
        ILogger<JobRunner> logger)
    {
        _store = store;
        _dispatcher = dispatcher;
        _options = options.Value;
        // However small the queue is: at least half of it is left to waiting clients.
        _window = Math.Clamp(orchestrator.Value.QueueCapacity / 2, 1, _options.Window);
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _mayWrite = _lastWrites.Token;
        _store.Signaled += OnSignal;
    }

    private TimeSpan RenewalInterval => _options.Lease / 3;

    /// <summary>Opens the store, so that one that cannot keep jobs keeps the orchestrator from starting.</summary>
    /// <exception cref="JobStoreException">The store is configured wrongly.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _store.OpenAsync(cancellationToken);
        }
        catch (JobStoreException e)
        {
            throw new JobStoreException(_options.Provider is JobsProvider.Postgres
                ? $"{JobsOptions.Section}:{nameof(JobsOptions.ConnectionString)}: {e.Message}"
                : $"{JobsOptions.Section}:{nameof(JobsOptions.Path)}: {e.Message} It must be a file of the orchestrator's, or a new one where this user may write.", e);
        }

        JobLog.Opened(_logger, _store.ToString()!, _store.MaxBytes);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Whether a job leased here is still waiting in the dispatcher's queue.</summary>
    public bool IsWaiting(Guid id) => _running.TryGetValue(id, out var running) && running.Entry.State is not EntryState.Running;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _store.Signaled -= OnSignal;
        base.Dispose();
        _lastWrites.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var stopped = stoppingToken.UnsafeRegister(_ => _lastWrites.CancelAfter(LastWrites), null);
        var poll = RenewalInterval < MaxPollInterval ? RenewalInterval : MaxPollInterval;
        await using var timer = _time.CreateTimer(_ => Wake(), null, TimeSpan.Zero, poll);
        var renewed = _time.GetTimestamp();
        long? tookOver = null;
        try
        {
            await foreach (var _ in _wake.Reader.ReadAllAsync(stoppingToken))
            {
                if (_time.GetElapsedTime(renewed) >= RenewalInterval)
                {
                    var now = _time.GetTimestamp();
                    // After an outage the own leases have run out as well: they are renewed before any is taken over.
                    if (!await TryAsync(() => RenewAsync(stoppingToken))) continue;
                    renewed = now;
                }

                if (tookOver is not { } last || _time.GetElapsedTime(last) >= poll)
                {
                    tookOver = _time.GetTimestamp();
                    await TryAsync(() => TakeOverAsync(stoppingToken));
                }

                await TryAsync(() => FillAsync(stoppingToken));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Handing back is what remains.
        }

        await HandBackAsync();
    }

    private async Task RenewAsync(CancellationToken stopping)
    {
        var leased = _running.Keys.ToList();
        if (leased.Count == 0) return;
        var kept = await _store.RenewAsync(leased, stopping);
        foreach (var lost in leased.Except(kept)) HangUp(lost);
    }

    private async Task TakeOverAsync(CancellationToken stopping)
    {
        var abandoned = await _store.ReleaseAbandonedAsync(stopping);
        if (abandoned > 0) JobLog.TakenOver(_logger, abandoned);
    }

    private async Task FillAsync(CancellationToken stopping)
    {
        var free = _window - _running.Count;
        if (free <= 0) return;
        var leased = await _store.LeaseAsync(free, stopping);
        _moreQueued = leased.Count == free;
        foreach (var job in leased)
        {
            // A lease that ran out here and came back here: the job is on its way already.
            if (!_running.ContainsKey(job.Id)) _ = RunAsync(job, stopping);
        }
    }

    private async Task RunAsync(LeasedJob job, CancellationToken stopping)
    {
        using var hungUp = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var activity = JobTracing.Start(job);
        var entry = new QueueEntry(job.Id, job.Text, Timeout.InfiniteTimeSpan, job.Pair is null ? null : new TextOptions(job.Pair)) { Accepted = true };
        using var running = new RunningJob(entry, hungUp);
        _running[job.Id] = running;
        try
        {
            var outcome = await _dispatcher.SubmitAsync(entry, hungUp.Token);
            if (EndOf(outcome) is { } end) await FinishAsync(job.Id, end, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // It is handed back, or its lease runs out.
        }
        catch (Exception e)
        {
            JobLog.RunnerFailed(_logger, e);
        }
        finally
        {
            _running.TryRemove(job.Id, out _);
            // Half a window at a time: a lease for every single job would be a commit for every single job.
            if (_moreQueued && _running.Count <= _window / 2) Wake();
        }
    }

    // Canceled: the job has ended in the store, is leased to somebody else, or is about to be handed back.
    private static JobEnd? EndOf(Outcome outcome) => outcome.Kind switch
    {
        OutcomeKind.Answered => new(JobStatus.Succeeded, Result: outcome.Answer),
        OutcomeKind.Canceled or OutcomeKind.Stopped => null,
        _ => new(JobStatus.Failed, Error: Refusals.Of(outcome)),
    };

    private async Task FinishAsync(Guid id, JobEnd end, CancellationToken stopping)
    {
        var finished = false;
        while (!await TryAsync(WriteAsync)) await Task.Delay(MaxPollInterval, _time, stopping);
        if (!finished)
        {
            JobLog.Dropped(_logger, id);
            return;
        }

        _metrics.Became(end.Status);
        JobLog.Finished(_logger, id, end.Status.Name());

        async Task WriteAsync()
        {
            try
            {
                finished = await _store.FinishAsync(id, end, _mayWrite);
            }
            catch (JobStoreException e) when (e.IsOfOneWrite && end != JobEnd.NotKept)
            {
                // An end that the store will never take would be written, and its text computed, for ever.
                JobLog.NotKept(_logger, id, e.Message);
                end = JobEnd.NotKept;
                finished = await _store.FinishAsync(id, end, _mayWrite);
            }
        }
    }

    private async Task HandBackAsync()
    {
        await Task.WhenAll(_running.Values.Select(running => running.Ended));
        try
        {
            using var deadline = new CancellationTokenSource(LastWrites, _time);
            await _store.ReleaseAsync(deadline.Token);
        }
        catch (Exception e) when (e is JobStoreException or OperationCanceledException)
        {
            JobLog.NotReleased(_logger, e.Message);
        }
    }

    private async Task<bool> TryAsync(Func<Task> use)
    {
        try
        {
            await use();
            if (_unavailable) JobLog.Available(_logger);
            _unavailable = false;
            return true;
        }
        catch (JobStoreException e)
        {
            if (!_unavailable) JobLog.Unavailable(_logger, e.Message);
            _unavailable = true;
            return false;
        }
    }

    private void OnSignal(JobSignal signal)
    {
        if (signal.Kind is JobSignalKind.Queued) Wake();
        else if (signal.Kind is JobSignalKind.Canceled)
            foreach (var id in signal.Ids) HangUp(id);
    }

    private void HangUp(Guid id)
    {
        if (_running.TryGetValue(id, out var running)) running.HangUp();
    }

    private void Wake() => _wake.Writer.TryWrite(true);
}
