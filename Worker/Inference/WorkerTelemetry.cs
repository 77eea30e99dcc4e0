using System.Diagnostics;
using System.Diagnostics.Metrics;
using Lab.ServiceDefaults.Health;

namespace Lab.Worker.Inference;

/// <summary>The worker's spans and measurements, all under the name <see cref="Name"/>.</summary>
internal sealed class WorkerTelemetry : IDisposable
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Lab.Worker";

    private readonly Meter _meter;
    private readonly Histogram<double> _inferenceDuration;
    private readonly Counter<long> _answers;
    private readonly Counter<long> _refusals;
    private readonly Histogram<int> _batchSize;

    /// <summary>Makes the instruments.</summary>
    public WorkerTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _inferenceDuration = _meter.CreateHistogram("lab.worker.inference.duration", "s",
            "Time to compute the logits of one dispatch, tokenisation apart.", tags: null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries =
                    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
            });
        _answers = _meter.CreateCounter<long>("lab.worker.answers", "{text}", "Texts classified.");
        _batchSize = _meter.CreateHistogram("lab.worker.batch_size", "{text}", "Texts in one computation.", tags: null,
            new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32] });
        _refusals = _meter.CreateCounter<long>("lab.worker.refusals", "{request}", "Requests refused, by status.");
    }

    /// <summary>Shows how many computations are under way and how many wait for it.</summary>
    /// <param name="gate">What they go through.</param>
    public void Observe(InferenceGate gate)
    {
        _meter.CreateObservableGauge("lab.worker.busy", () => gate.IsTaken ? 1 : 0, "{computation}", "Computations under way, 0 or 1.");
        _meter.CreateObservableGauge("lab.worker.queue.depth", () => gate.Waiting, "{request}", "Requests waiting for the computation under way.");
    }

    /// <summary>Spans <c>tokenize</c> (<c>lab.token_count</c>, <c>lab.truncated</c>) and <c>inference</c> (<c>lab.batch_size</c>, <c>lab.token_count</c>).</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>One computation was done.</summary>
    /// <param name="duration">Its time.</param>
    /// <param name="texts">How many texts it classified.</param>
    public void Computed(TimeSpan duration, int texts)
    {
        if (WarmUp.IsUnderWay) return;
        _inferenceDuration.Record(duration.TotalSeconds);
        _answers.Add(texts);
        _batchSize.Record(texts);
    }

    /// <summary>A request was refused.</summary>
    /// <param name="status">The HTTP status of the refusal.</param>
    public void Refused(int status) => _refusals.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
