using Google.Protobuf;
using Lab.AppHost.LocalHost.Otlp.Wire;

namespace Lab.AppHost.Tests.LocalHost.Otlp;

/// <summary>Messages of OTLP as a service would send them. Times are in nanoseconds.</summary>
internal static class Sample
{
    public static readonly string TraceId = new('a', 32);

    public static Span Span(string id, string parent = "", long start = 0, long end = 1000, string name = "work", string? trace = null)
        => new()
        {
            TraceId = Bytes(trace ?? TraceId),
            SpanId = Bytes(id),
            ParentSpanId = Bytes(parent),
            Name = name,
            StartTimeUnixNano = (ulong)start,
            EndTimeUnixNano = (ulong)end,
        };

    public static byte[] Traces(string service, params Span[] spans)
        => new ExportTraceServiceRequest
        {
            ResourceSpans = { new ResourceSpans { Resource = ResourceOf(service), ScopeSpans = { new ScopeSpans { Scope = new Scope { Name = "tests" }, Spans = { spans } } } } },
        }.ToByteArray();

    public static byte[] Logs(string service, params LogRecord[] records)
        => new ExportLogsServiceRequest
        {
            ResourceLogs = { new ResourceLogs { Resource = ResourceOf(service), ScopeLogs = { new ScopeLogs { Scope = new Scope { Name = "tests" }, LogRecords = { records } } } } },
        }.ToByteArray();

    public static byte[] Metrics(string service, params Metric[] metrics)
        => new ExportMetricsServiceRequest
        {
            ResourceMetrics = { new ResourceMetrics { Resource = ResourceOf(service), ScopeMetrics = { new ScopeMetrics { Scope = new Scope { Name = "tests" }, Metrics = { metrics } } } } },
        }.ToByteArray();

    public static KeyValue Attribute(string key, string value) => new() { Key = key, Value = new AnyValue { StringValue = value } };

    public static ByteString Bytes(string hex) => ByteString.CopyFrom(Convert.FromHexString(hex));

    private static Resource ResourceOf(string service) => new()
    {
        Attributes = { Attribute("service.name", service), Attribute("service.instance.id", "one"), Attribute("host.name", "here") },
    };
}
