using Lab.AppHost.LocalHost.Otlp;
using Lab.AppHost.LocalHost.Otlp.Wire;
using Wire = Lab.AppHost.LocalHost.Otlp.Wire;

namespace Lab.AppHost.Tests.LocalHost.Otlp;

public sealed class TraceStoreTests
{
    private readonly TraceStore _store = new();

    [Fact]
    public void Find_SpansOfTwoServicesAndALogRecord_AreOneTrace()
    {
        Add("worker-1", Sample.Span("02", "01", 300, 900));
        Add("orchestrator", Sample.Span("01", "", 100, 1_000_100));
        _store.Add(OtlpReader.Logs(Sample.Logs("worker-1", new LogRecord { TraceId = Sample.Bytes(Sample.TraceId), Body = new AnyValue { StringValue = "hello" } })));

        var trace = _store.Find(Sample.TraceId)!;

        Assert.Equal(["orchestrator", "worker-1"], trace.Spans.Select(span => span.Sender.Name));
        Assert.Equal("01", trace.Root.Id);
        Assert.Equal(TimeSpan.FromMilliseconds(1), trace.Duration);
        Assert.Equal("hello", Assert.Single(trace.Logs).Text);
    }

    [Fact]
    public void Find_LinkOfAnotherTrace_IsSeenFromHere()
    {
        var other = new string('c', 32);
        var batch = Sample.Span("09", name: "dispatch", trace: other);
        batch.Links.Add(new Wire.Span.Types.Link { TraceId = Sample.Bytes(Sample.TraceId), SpanId = Sample.Bytes("01") });
        Add("orchestrator", batch, Sample.Span("01"));

        Assert.Equal((other, "dispatch"), _store.Find(Sample.TraceId)!.LinkedFrom.Select(span => (span.TraceId, span.Name)).Single());
    }

    [Fact]
    public void Latest_ByTextAndErrors_FindsThoseOnly()
    {
        var failed = Sample.Span("01", trace: Id(1), name: "POST /new_request");
        failed.Status = new() { Code = 2 };
        failed.Attributes.Add(Sample.Attribute("lab.worker", "worker-7"));
        Add("orchestrator", failed, Sample.Span("02", trace: Id(2), start: 5));

        Assert.Equal([Id(2), Id(1)], Ids("", false));
        Assert.Equal([Id(1)], Ids("", true));
        Assert.Equal([Id(1)], Ids("LAB.worker=worker-7", false));
        Assert.Equal([Id(2)], Ids(Id(2), false));
        Assert.Empty(Ids("worker-8", false));
    }

    [Fact]
    public void Add_MoreTracesThanItHolds_ForgetsTheOldest()
    {
        for (var i = 0; i < 2_500; i++)
            Add("a", Sample.Span("01", trace: Id(i), start: i));

        Assert.Null(_store.Find(Id(499)));
        Assert.NotNull(_store.Find(Id(500)));
        Assert.Equal(2_000, _store.Latest("", onlyErrors: false, most: 10_000).Count);
    }

    [Fact]
    public void Add_TraceWithoutEnd_IsCut()
    {
        Add("a", [.. Enumerable.Range(0, 1_000).Select(i => Sample.Span("01", start: i))]);

        Assert.Equal(500, _store.Find(Sample.TraceId)!.Spans.Count);
    }

    [Fact]
    public void Add_LongTraces_TotalOfSpansIsBounded()
    {
        for (var trace = 0; trace < 200; trace++)
            Add("a", [.. Enumerable.Range(0, 400).Select(i => Sample.Span("01", trace: Id(trace), start: i))]);

        Assert.InRange(_store.Latest("", onlyErrors: false, most: 1_000).Sum(trace => trace.Spans.Count), 29_000, 30_500);
    }

    private static string Id(int number) => number.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);

    private IEnumerable<string> Ids(string text, bool onlyErrors) => _store.Latest(text, onlyErrors, 100).Select(trace => trace.Id);

    private void Add(string service, params Wire.Span[] spans) => _store.Add(OtlpReader.Spans(Sample.Traces(service, spans)));
}
