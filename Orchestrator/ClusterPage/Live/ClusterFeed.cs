using System.Globalization;
using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.ClusterPage.Live;

/// <summary>
/// Takes a snapshot of the fleet once a second, for all who watch together, and tells each of them. Takes them also while
/// nobody watches, for the charts go five minutes back.
/// </summary>
internal sealed partial class ClusterFeed(Dispatcher dispatcher, LastMinute lastMinute, TimeProvider time, ILogger<ClusterFeed> logger) : BackgroundService
{
    /// <summary>How many pages may be told of changes at once.</summary>
    public const int MaxViewers = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SnapshotTimeout = TimeSpan.FromSeconds(5);

    // worker-10 comes after worker-9, and 10.0.0.12 after 10.0.0.9.
    private static readonly StringComparer NaturalOrder = StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.NumericOrdering);

    private readonly Lock _gate = new();
    private readonly History _history = new();
    private Action<ClusterState>[] _viewers = [];
    private IReadOnlyList<RequestView> _requests = [];
    private long _seen;
    private long _snapshotAt;
    private volatile ClusterState _latest = ClusterState.Empty;

    /// <summary>The state of at most a second ago.</summary>
    public ClusterState Latest => _latest;

    /// <summary>Tells somebody of each new state from now on.</summary>
    /// <param name="viewer">Called once a second; must return at once.</param>
    /// <returns>Ends it when disposed; <c>null</c> if there are too many already.</returns>
    public IDisposable? TryWatch(Action<ClusterState> viewer)
    {
        lock (_gate)
        {
            if (_viewers.Length >= MaxViewers) return null;
            _viewers = [.. _viewers, viewer];
            return new Watch(this, viewer);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _snapshotAt = time.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await RefreshAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // A page that shows old numbers is no reason to stop a cluster.
                LogFailed(logger, e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task RefreshAsync(CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(SnapshotTimeout);
        var snapshot = await dispatcher.TakeSnapshotAsync(_seen, limit.Token);
        _history.Add(snapshot, time.GetElapsedTime(_snapshotAt, snapshot.At));
        lastMinute.Add(snapshot);
        _snapshotAt = snapshot.At;
        _seen = snapshot.Totals.Ended;
        if (snapshot.Latest is { } latest)
        {
            var now = time.GetUtcNow();
            var known = _requests.ToDictionary(view => view.Request.Number);
            _requests = [.. latest.Select(request =>
                known.GetValueOrDefault(request.Number) ?? new RequestView(request, now - time.GetElapsedTime(request.EndedAt, snapshot.At)))];
        }

        var state = _latest = new(ByHost(snapshot.Workers), snapshot.WorkerCount, _requests, snapshot.Queued, _history.ToArray());
        foreach (var viewer in Volatile.Read(ref _viewers)) viewer(state);
    }

    private static List<HostView> ByHost(IReadOnlyList<WorkerSnapshot> workers) =>
    [
        .. workers
            .GroupBy(worker => worker.Host, (host, its) => new HostView(
                host, [.. its.Select(WorkerView.Of).OrderBy(worker => worker.Name, NaturalOrder)]))
            .OrderBy(host => host.Name, NaturalOrder),
    ];

    [LoggerMessage(1, LogLevel.Warning, "The cluster page has no new numbers")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    private sealed class Watch(ClusterFeed feed, Action<ClusterState> viewer) : IDisposable
    {
        public void Dispose()
        {
            lock (feed._gate) feed._viewers = [.. feed._viewers.Where(other => other != viewer)];
        }
    }
}
