using System.Globalization;
using Lab.Bench.Load;

namespace Lab.Bench.Recording;

/// <summary>Takes down every request of a run, in memory that is bounded however long it is.</summary>
internal sealed class Recorder(TimeProvider time) : IExchangeRecorder
{
    private const int SampleLimit = 500_000;
    private const int IncidentLimit = 1000;
    private const int IdentityLimit = 5_000_000;

    private readonly Lock _lock = new();
    private readonly long _begun = time.GetTimestamp();
    private readonly Times _total = new();
    private readonly Times _queue = new();
    private readonly Times _inference = new();
    private readonly Times _rest = new();
    private readonly Times _lateness = new();
    private readonly Dictionary<string, WorkerTimes> _workers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<Ending, long> _endings = [];
    private readonly List<Incident> _incidents = [];
    private readonly HashSet<Guid> _identities = [];
    private readonly Samples _samples = new(SampleLimit);
    private readonly QueueDepth _depth = new();
    private long _sent;
    private long _retried;
    private long _batched;
    private long _lastEnd;

    public void Sent() => Interlocked.Increment(ref _sent);

    public void Ended(in Exchange exchange)
    {
        lock (_lock)
        {
            var reply = exchange.Reply;
            // An identity that comes twice is somebody else's answer.
            if (reply is { Ending: Ending.Answered, Answer: { } one } && _identities.Count < IdentityLimit && !_identities.Add(one.RequestId))
                reply = reply with { Ending = Ending.Wrong, Reason = $"request_id {one.RequestId} was given twice" };
            _endings[reply.Ending] = _endings.GetValueOrDefault(reply.Ending) + 1;
            if (reply.Ending is not Ending.NotSent) _lateness.Record(Milliseconds(exchange.IntendedAt, exchange.SentAt));
            _lastEnd = Math.Max(_lastEnd, exchange.EndedAt);
            if (reply.Ending is Ending.Refused) _refused[reply.Reason!] = _refused.GetValueOrDefault(reply.Reason!) + 1;
            if (reply.Ending is Ending.Answered) Answered(exchange, reply.Answer!);
            else if (reply.Ending is Ending.Wrong or Ending.Lost && _incidents.Count < IncidentLimit) _incidents.Add(Describe(exchange, reply));
        }
    }

    /// <summary>The state of a run that goes on.</summary>
    public RunProgress Look()
    {
        lock (_lock)
        {
            return new(time.GetElapsedTime(_begun), Interlocked.Read(ref _sent), Count(Ending.Answered), Count(Ending.Wrong), Count(Ending.Lost), Count(Ending.NotSent),
                _refused.ToList(), _total.Percentile(50), _total.Percentile(95), _total.Percentile(99),
                [.. _workers.Select(worker => KeyValuePair.Create(worker.Key, worker.Value.Total.Count)).OrderBy(worker => worker.Key, WorkerNames.InOrder)]);
        }
    }

    /// <summary>Everything, once the run has ended.</summary>
    public Measured Finish()
    {
        lock (_lock)
        {
            var seconds = _lastEnd > _begun ? Milliseconds(_begun, _lastEnd) / 1000 : time.GetElapsedTime(_begun).TotalSeconds;
            var (deepest, at, queued) = _depth.Summarize();
            return new()
            {
                Seconds = seconds,
                Sent = _sent,
                Answered = Count(Ending.Answered),
                Wrong = Count(Ending.Wrong),
                Lost = Count(Ending.Lost),
                NotSent = Count(Ending.NotSent),
                GivenUp = Count(Ending.GivenUp),
                Refused = new SortedDictionary<string, long>(_refused, StringComparer.Ordinal),
                Total = _total.Summarize(),
                Queue = _queue.Summarize(),
                Inference = _inference.Summarize(),
                Rest = _rest.Summarize(),
                Lateness = _lateness.Summarize(),
                Workers = [.. _workers.OrderBy(worker => worker.Key, WorkerNames.InOrder).Select(worker => new WorkerSummary(
                    worker.Key, worker.Value.Total.Count, (double)worker.Value.BatchSizes / worker.Value.Total.Count,
                    worker.Value.Inference.Summarize(), worker.Value.Total.Summarize()))],
                Retried = _retried,
                Batched = _batched,
                DeepestQueue = deepest,
                DeepestAtSeconds = at,
                QueuedSeconds = queued,
                Incidents = [.. _incidents.OrderBy(incident => incident.Number)],
                Distribution = _total.Distribution(),
                Samples = _samples.Kept(),
                Depth = _depth,
            };
        }
    }

    private void Answered(in Exchange exchange, Answer answer)
    {
        var total = Milliseconds(exchange.IntendedAt, exchange.EndedAt);
        var rest = Math.Max(0, total - answer.QueueMs - answer.InferenceMs);
        _total.Record(total);
        _queue.Record(answer.QueueMs);
        _inference.Record(answer.InferenceMs);
        _rest.Record(rest);
        if (!_workers.TryGetValue(answer.Worker, out var worker)) _workers.Add(answer.Worker, worker = new());
        worker.Inference.Record(answer.InferenceMs);
        worker.Total.Record(total);
        worker.BatchSizes += answer.BatchSize;
        if (answer.Attempts > 1) _retried++;
        if (answer.BatchSize > 1) _batched++;
        var ended = Milliseconds(_begun, exchange.EndedAt);
        // Of the time on the way, half is taken to be the way back.
        var sentMs = Milliseconds(_begun, exchange.SentAt);
        var way = Math.Max(0, ended - sentMs - answer.QueueMs - answer.InferenceMs) / 2;
        _depth.Waited(sentMs + way, sentMs + way + answer.QueueMs);
        _samples.Add(new((float)(Milliseconds(_begun, exchange.IntendedAt) / 1000), (float)total, (float)answer.QueueMs, (float)answer.InferenceMs));
    }

    private Incident Describe(in Exchange exchange, Reply reply) => new(
        exchange.Number, reply.Ending is Ending.Wrong ? "wrong" : "lost", reply.Reason ?? "", exchange.Text.Value,
        reply.Answer?.RequestId.ToString(), reply.Answer?.Worker, Math.Round(Milliseconds(_begun, exchange.SentAt) / 1000, 3),
        time.GetUtcNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));

    private double Milliseconds(long from, long to) => time.GetElapsedTime(from, to).TotalMilliseconds;

    private long Count(Ending ending) => _endings.GetValueOrDefault(ending);
}
