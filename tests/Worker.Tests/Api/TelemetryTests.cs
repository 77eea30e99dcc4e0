using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Api;

public sealed class TelemetryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_Traced_SpansTellTokensAndBelongToTheRequest()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is WorkerTelemetry.Name or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var trace = ActivityTraceId.CreateRandom();
        await using var worker = new RunningWorker();
        await worker.InitializeAsync();
        worker.Client.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");

        await worker.PostJsonAsync("/predict", """{"inputs":[["great"],["bad film"]]}""", Cancellation);

        var tokenize = Assert.Single(spans, span => span.TraceId == trace && span.OperationName == "tokenize");
        Assert.Equal(7, tokenize.GetTagItem("lab.token_count"));
        Assert.Equal(false, tokenize.GetTagItem("lab.truncated"));
        var inference = Assert.Single(spans, span => span.TraceId == trace && span.OperationName == "inference");
        Assert.Equal(7, inference.GetTagItem("lab.token_count"));
        Assert.Equal(2, inference.GetTagItem("lab.batch_size"));
    }

    [Fact]
    public async Task Post_Measured_AnswersAndRefusalsAreCounted()
    {
        var measurements = new ConcurrentBag<(object? Scope, string Name, double Value)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == WorkerTelemetry.Name) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => measurements.Add((instrument.Meter.Scope, instrument.Name, value)));
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => measurements.Add((instrument.Meter.Scope, instrument.Name, value)));
        listener.Start();
        await using var worker = new RunningWorker();
        await worker.InitializeAsync();
        var mine = worker.MeterScope;

        await worker.PostJsonAsync("/predict", """{"inputs":[["great"],["bad film"]]}""", Cancellation);
        await worker.PostJsonAsync("/run_model", """{"text":""}""", Cancellation);

        double[] Values(string name) => [.. measurements.Where(m => m.Scope == mine && m.Name == name).Select(m => m.Value)];
        Assert.Equal([2], Values("lab.worker.answers"));
        Assert.Single(Values("lab.worker.inference.duration"));
        Assert.Equal([1], Values("lab.worker.refusals"));
    }
}
