using Google.Protobuf;
using Lab.AppHost.LocalHost.Otlp;
using Lab.AppHost.LocalHost.Otlp.Wire;
using Wire = Lab.AppHost.LocalHost.Otlp.Wire;

namespace Lab.AppHost.Tests.LocalHost.Otlp;

public sealed class OtlpReaderTests
{
    [Fact]
    public void Spans_OneWithEverything_IsRead()
    {
        var sent = Sample.Span("0102030405060708", "1112131415161718", 1_000_000, 3_500_000, "dispatch");
        sent.Kind = 3;
        sent.Status = new() { Code = 2, Message = "refused" };
        sent.Attributes.Add(Sample.Attribute("lab.worker", "worker-1"));
        sent.Attributes.Add(new KeyValue { Key = "lab.attempt", Value = new AnyValue { IntValue = 2 } });
        sent.Attributes.Add(new KeyValue { Key = "list", Value = new AnyValue { ArrayValue = new() { Values = { new AnyValue { BoolValue = true }, new AnyValue { DoubleValue = 1.5 } } } } });
        sent.Events.Add(new Wire.Span.Types.Event { Name = "exception", TimeUnixNano = 2_000_000 });
        sent.Links.Add(new Wire.Span.Types.Link { TraceId = Sample.Bytes(new('b', 32)), SpanId = Sample.Bytes("2122232425262728") });

        var span = Assert.Single(OtlpReader.Spans(Sample.Traces("orchestrator", sent)));

        Assert.Equal(new Sender("orchestrator", "one", "here"), span.Sender);
        Assert.Equal((Sample.TraceId, "0102030405060708", "1112131415161718"), (span.TraceId, span.Id, span.ParentId));
        Assert.Equal(("tests", "dispatch", SpanKind.Client, true, "refused"), (span.Scope, span.Name, span.Kind, span.HasFailed, span.Message));
        Assert.Equal(TimeSpan.FromMilliseconds(2.5), Times.Between(span.Start, span.End));
        Assert.Equal([new("lab.worker", "worker-1"), new("lab.attempt", "2"), new("list", "true, 1.5")], span.Attributes);
        Assert.Equal("exception", Assert.Single(span.Events).Name);
        Assert.Equal(new SpanLink(new('b', 32), "2122232425262728"), Assert.Single(span.Links));
    }

    [Fact]
    public void Spans_TextWithoutEnd_IsCut()
    {
        var sent = Sample.Span("0102030405060708", name: new string('x', 100_000));

        Assert.InRange(Assert.Single(OtlpReader.Spans(Sample.Traces("a", sent))).Name.Length, 1, 2010);
    }

    [Fact]
    public void Spans_NoProtobuf_Throws()
        => Assert.Throws<InvalidProtocolBufferException>(() => OtlpReader.Spans("{\"resourceSpans\":[]}"u8.ToArray()).Count());

    [Fact]
    public void Logs_OneWithTrace_IsRead()
    {
        var sent = new LogRecord { TimeUnixNano = 5, SeverityNumber = 13, SeverityText = "Warn", Body = new AnyValue { StringValue = "it failed" }, TraceId = Sample.Bytes(Sample.TraceId) };

        var entry = Assert.Single(OtlpReader.Logs(Sample.Logs("orchestrator", sent)));

        Assert.Equal(("orchestrator", 13, "Warn", "it failed", Sample.TraceId), (entry.Sender.Name, entry.Severity, entry.Level, entry.Text, entry.TraceId));
    }

    [Fact]
    public void Metrics_OneOfEachKind_AreRead()
    {
        var gauge = new Metric { Name = "depth", Unit = "{request}", Gauge = new() { DataPoints = { new NumberDataPoint { AsInt = 7, Attributes = { Sample.Attribute("b", "2"), Sample.Attribute("a", "1") } } } } };
        var counter = new Metric { Name = "answers", Sum = new() { IsMonotonic = true, AggregationTemporality = 2, DataPoints = { new NumberDataPoint { AsDouble = 3 } } } };
        var upDown = new Metric { Name = "open", Sum = new() { AggregationTemporality = 2, DataPoints = { new NumberDataPoint { AsInt = -1 } } } };
        var histogram = new Metric { Name = "duration", Unit = "s", Histogram = new() { AggregationTemporality = 1, DataPoints = { new HistogramDataPoint { Count = 4, Sum = 2 } } } };

        var read = OtlpReader.Metrics(Sample.Metrics("worker-1", gauge, counter, upDown, histogram)).ToList();

        Assert.Equal([InstrumentKind.Gauge, InstrumentKind.Counter, InstrumentKind.Gauge, InstrumentKind.Histogram], read.Select(one => one.Kind));
        Assert.Equal(("a=1, b=2", 7), (read[0].Attributes, read[0].Value));
        Assert.Equal((3, false), (read[1].Count, read[1].IsDelta));
        Assert.Equal(-1, read[2].Value);
        Assert.Equal((4, 2, true), (read[3].Count, read[3].Value, read[3].IsDelta));
    }
}
