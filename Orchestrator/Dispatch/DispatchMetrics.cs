using System.Diagnostics.Metrics;

namespace Lab.Orchestrator.Dispatch;

/// <summary>The dispatcher's instruments, in the meter <c>Lab.Orchestrator</c>.</summary>
internal sealed class DispatchMetrics
{
    public const string MeterName = "Lab.Orchestrator";

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    private static readonly InstrumentAdvice<int> BatchSizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32] };

    private readonly Counter<long> _requests;
    private readonly Counter<long> _calls;
    private readonly Counter<long> _returned;
    private readonly Meter _meter;
    private readonly Histogram<double> _queueTime;
    private readonly Histogram<double> _inferenceTime;
    private readonly Histogram<int> _batchSize;
    private int _queued;
    private int _busy;

    public DispatchMetrics(IMeterFactory meters)
    {
        var meter = _meter = meters.Create(MeterName);
        _requests = meter.CreateCounter<long>("lab.requests", "{request}", "Requests by how they ended.");
        _calls = meter.CreateCounter<long>("lab.dispatches", "{dispatch}", "Dispatches by worker and result.");
        _returned = meter.CreateCounter<long>("lab.requests.returned", "{request}", "Requests that went back to the head of the queue, by reason.");
        _queueTime = meter.CreateHistogram("lab.queue.duration", "s", "Time between acceptance and dispatch.", advice: Seconds);
        _inferenceTime = meter.CreateHistogram("lab.inference.duration", "s", "A worker's own time for one dispatch.", advice: Seconds);
        _batchSize = meter.CreateHistogram("lab.dispatch.batch_size", "{request}", "Requests in one dispatch.", advice: BatchSizes);
        meter.CreateObservableGauge("lab.queue.depth", () => Volatile.Read(ref _queued), "{request}", "Requests waiting for a worker.");
        meter.CreateObservableGauge("lab.workers.busy", () => Volatile.Read(ref _busy), "{worker}", "Workers computing.");
    }

    /// <summary>Shows the workers by status, and what share of them this orchestrator has; asked only when somebody looks.</summary>
    /// <param name="counts">May be called at any time, on any thread.</param>
    /// <param name="share">The same.</param>
    public void Observe(Func<WorkerCounts> counts, Func<Share> share)
    {
        _meter.CreateObservableGauge("lab.workers", () =>
        {
            var now = counts();
            // A quarantined or drained worker may still be at its last work.
            var busy = Math.Min(Volatile.Read(ref _busy), now.Alive);
            return (Measurement<int>[])[Of("free", now.Alive - busy), Of("busy", busy), Of("quarantined", now.Quarantined), Of("draining", now.Draining)];

            static Measurement<int> Of(string status, int count) => new(count, new KeyValuePair<string, object?>("status", status));
        }, "{worker}", "Workers by status.");
        _meter.CreateObservableGauge("lab.workers.owned", () => share().Owned, "{worker}", "Workers that this orchestrator prefers: its share where several orchestrators use them.");
        _meter.CreateObservableGauge("lab.orchestrators", () => share().Orchestrators, "{orchestrator}", "Orchestrators that use these workers, this one included.");
    }

    public void Depth(int queued, int busy)
    {
        Volatile.Write(ref _queued, queued);
        Volatile.Write(ref _busy, busy);
    }

    public void Waited(TimeSpan queued) => _queueTime.Record(queued.TotalSeconds);

    public void Dispatched(int batchSize) => _batchSize.Record(batchSize);

    public void Returned(string reason) => _returned.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void CallEnded(string worker, WorkerReply reply)
    {
        if (reply is WorkerReply.Answered { InferenceMs: > 0 } answered) _inferenceTime.Record(answered.InferenceMs / 1000);
        _calls.Add(1,
            new KeyValuePair<string, object?>("worker", worker),
            new KeyValuePair<string, object?>("result", reply switch
            {
                WorkerReply.Answered => "answered",
                WorkerReply.Busy => "busy",
                _ => "failed",
            }));
    }

    public void Ended(OutcomeKind kind) => _requests.Add(1, new KeyValuePair<string, object?>("outcome", kind switch
    {
        OutcomeKind.Answered => "answered",
        OutcomeKind.QueueFull => "queue_full",
        OutcomeKind.NoWorker => "no_worker",
        OutcomeKind.DeadlinePassed => "deadline_passed",
        OutcomeKind.Failed => "failed",
        OutcomeKind.Rejected => "rejected",
        OutcomeKind.Canceled => "canceled",
        _ => "stopped",
    }));
}
