using System.Net;
using Lab.EndToEnd.Cluster;
using Lab.EndToEnd.Otlp;
using Lab.Testing;

namespace Lab.EndToEnd;

/// <summary>What becomes of requests, and of what is told of them, when something goes wrong.</summary>
public sealed class TelemetryTests
{
    public enum Receiver
    {
        Nothing,
        DeadPort,
        Silent,
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Receiver.Nothing)]
    [InlineData(Receiver.DeadPort)]
    [InlineData(Receiver.Silent)]
    public async Task NewRequest_ReceiverDoesNotTakeTelemetry_NoneIsLost(Receiver receiver)
    {
        using var silent = new SilentReceiver();
        await using var fleet = new TracedFleet(receiver switch
        {
            Receiver.Nothing => null,
            Receiver.DeadPort => DeadPort(),
            _ => silent.Address,
        });
        await fleet.StartAsync(workers: 2, Cancellation);

        // Several times what an exporter's queues hold.
        var answers = new List<HttpStatusCode>();
        for (var round = 0; round < 20; round++)
            answers.AddRange(await Task.WhenAll(Enumerable.Range(0, 250).Select(i => fleet.AskAsync($"sentence {i}", Cancellation))));

        Assert.Equal(5000, answers.Count(status => status == HttpStatusCode.OK));
        if (receiver is Receiver.Silent) Assert.True(silent.Connections > 0, "nobody has sent anything");
    }

    [Fact]
    public async Task NewRequest_FirstWorkerFails_BothAttemptsAndTheReasonAreInItsTrace()
    {
        const string TraceId = "1af7651916cd43dd8448eb211c80319c";
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var fleet = new TracedFleet(new(receiver.Address));
        await fleet.StartAsync(workers: 2, Cancellation);
        // Both would answer: the one that has been idle longest is asked first, and it has gone without a word.
        await fleet.KillWorkerAsync(0);

        for (var i = 0; i < 2; i++) Assert.Equal(HttpStatusCode.OK, await fleet.AskAsync("try me", Cancellation, $"00-{TraceId}-b7ad6b716920333{i}-01"));

        await fleet.UntilAsync(() => receiver.Spans.Count(span => span.TraceId == TraceId && span.Name == "dispatch") == 3
            && receiver.Logs.Any(log => log.Text.Contains("returns to the head", StringComparison.Ordinal)), "three attempts and the record of the failed one");
        var attempts = receiver.Spans.Where(span => span.TraceId == TraceId && span.Name == "dispatch").ToList();
        var failed = Assert.Single(attempts, span => span.HasFailed);
        Assert.Equal("failed", failed.Attributes["lab.result"]);
        Assert.Contains(attempts, span => span.ParentSpanId == failed.ParentSpanId && span.Number("lab.attempt") == failed.Number("lab.attempt") + 1 && !span.HasFailed);
        Assert.All(receiver.Logs.Where(log => log.Text.Contains("returns to the head", StringComparison.Ordinal)), log => Assert.Equal(TraceId, log.TraceId));
        Assert.All(receiver.Logs.Where(log => log.Text.Contains("gets work", StringComparison.Ordinal)), log => Assert.Empty(log.TraceId));
        Assert.All(receiver.Spans, span => Assert.DoesNotContain("/health", span.Attributes.GetValueOrDefault("url.full", ""), StringComparison.Ordinal));
        Assert.Equal(["service.instance.id", "service.name", "host.name"], ((string[])["service.instance.id", "service.name", "host.name"]).Where(failed.Resource.ContainsKey));
        Assert.Equal(Environment.MachineName, failed.Resource["host.name"]);
    }

    [Fact]
    public async Task NewRequest_SeveralInOneDispatch_AreLinkedFromItsSpan()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var fleet = new TracedFleet(new(receiver.Address));
        await fleet.StartAsync(workers: 1, Cancellation);

        var traces = Enumerable.Range(1, 60).Select(i => i.ToString("x32", System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.All(await Task.WhenAll(traces.Select(id => fleet.AskAsync("together", Cancellation, $"00-{id}-b7ad6b7169203331-01"))), status => Assert.Equal(HttpStatusCode.OK, status));

        List<ReceivedSpan> dispatches = [];
        await fleet.UntilAsync(() =>
        {
            dispatches = [.. receiver.Spans.Where(span => span.Name == "dispatch" && traces.Contains(span.TraceId))];
            return dispatches.Sum(span => span.Number("lab.batch_size")) == 60;
        }, "the dispatches of 60 requests");
        Assert.Contains(dispatches, span => span.Number("lab.batch_size") > 1);
        Assert.All(dispatches, span => Assert.Equal(span.Number("lab.batch_size") - 1, span.Links.Count));
        Assert.Equal(traces, dispatches.SelectMany(span => span.Links.Append(span.TraceId)).Order());
    }

    private static Uri DeadPort() => new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePorts.Take()}"));
}
