using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Lab.EndToEnd.Otlp;

/// <summary>One span as a test looks at it.</summary>
internal sealed record ReceivedSpan(
    string Name, string TraceId, string SpanId, string ParentSpanId, bool HasFailed, IReadOnlyList<string> Links,
    IReadOnlyDictionary<string, string> Attributes, IReadOnlyDictionary<string, string> Resource)
{
    public string Service => Resource.GetValueOrDefault("service.name", "");

    public long Number(string attribute) => long.Parse(Attributes[attribute], System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>One log record as a test looks at it.</summary>
internal sealed record ReceivedLog(string Text, string TraceId);

/// <summary>Takes in traces and logs over OTLP with HTTP and protobuf; metrics are acknowledged and dropped.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public ConcurrentQueue<ReceivedSpan> Spans { get; } = new();

    public ConcurrentQueue<ReceivedLog> Logs { get; } = new();

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/traces", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            receiver.Take(ExportTraceServiceRequest.Parser.ParseFrom(body.ToArray()));
            return TypedResults.Bytes([], "application/x-protobuf");
        });
        app.MapPost("/v1/logs", async (HttpContext context) =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            foreach (var record in ExportLogsServiceRequest.Parser.ParseFrom(body.ToArray()).ResourceLogs.SelectMany(resource => resource.ScopeLogs).SelectMany(scope => scope.LogRecords))
                receiver.Logs.Enqueue(new(Text(record.Body), Convert.ToHexStringLower(record.TraceId.Span)));
            return TypedResults.Bytes([], "application/x-protobuf");
        });
        app.MapFallback(() => TypedResults.Bytes([], "application/x-protobuf"));
        await app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Take(ExportTraceServiceRequest request)
    {
        foreach (var resource in request.ResourceSpans)
        {
            var sender = Dictionary(resource.Resource.Attributes);
            foreach (var span in resource.ScopeSpans.SelectMany(scope => scope.Spans))
            {
                Spans.Enqueue(new(
                    span.Name,
                    Convert.ToHexStringLower(span.TraceId.Span),
                    Convert.ToHexStringLower(span.SpanId.Span),
                    Convert.ToHexStringLower(span.ParentSpanId.Span),
                    span.Status?.Code == 2,
                    [.. span.Links.Select(link => Convert.ToHexStringLower(link.TraceId.Span))],
                    Dictionary(span.Attributes),
                    sender));
            }
        }
    }

    private static Dictionary<string, string> Dictionary(IEnumerable<KeyValue> attributes) =>
        attributes.DistinctBy(a => a.Key).ToDictionary(a => a.Key, a => Text(a.Value));

    private static string Text(AnyValue value) => value.ValueCase switch
    {
        AnyValue.ValueOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        AnyValue.ValueOneofCase.IntValue => value.IntValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        AnyValue.ValueOneofCase.DoubleValue => value.DoubleValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => value.StringValue,
    };
}
