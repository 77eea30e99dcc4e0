using Lab.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Lab.ServiceDefaults.Tests.Telemetry;

/// <summary>OpenTelemetry's own variables, as its specification says, at a receiver.</summary>
[Collection(nameof(ActivityListeners))]
public sealed class TelemetryVariablesTests
{
    private const string GrpcTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    private const string GrpcMetrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    private const string GrpcLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    // By default the SDK's protocol.
    [InlineData(new[] { "ENDPOINT={grpc}" }, new[] { GrpcLogs, GrpcMetrics, GrpcTraces })]
    [InlineData(new[] { "ENDPOINT={grpc}", "PROTOCOL=GRPC" }, new[] { GrpcLogs, GrpcMetrics, GrpcTraces })]
    [InlineData(new[] { "ENDPOINT={http}", "PROTOCOL=http/protobuf" }, new[] { "/v1/logs", "/v1/metrics", "/v1/traces" })]
    [InlineData(new[] { "ENDPOINT={http}/mine/", "PROTOCOL=http/protobuf" }, new[] { "/mine/v1/logs", "/mine/v1/metrics", "/mine/v1/traces" })]
    [InlineData(new[] { "ENDPOINT={http}/mine", "PROTOCOL=http/protobuf", "TRACES_ENDPOINT={http}/spans" }, new[] { "/mine/v1/logs", "/mine/v1/metrics", "/spans" })]
    [InlineData(new[] { "TRACES_ENDPOINT={http}", "PROTOCOL=http/protobuf" }, new[] { "/" })]
    [InlineData(new[] { "METRICS_ENDPOINT={http}/m", "METRICS_PROTOCOL=http/protobuf" }, new[] { "/m" })]
    [InlineData(new[] { "LOGS_ENDPOINT={http}/l", "LOGS_PROTOCOL=http/protobuf" }, new[] { "/l" })]
    [InlineData(new[] { "ENDPOINT={grpc}", "LOGS_ENDPOINT={http}/l", "LOGS_PROTOCOL=http/protobuf" }, new[] { "/l", GrpcMetrics, GrpcTraces })]
    [InlineData(new[] { "ENDPOINT=", "TRACES_ENDPOINT={grpc}" }, new[] { GrpcTraces })]
    public async Task Endpoints_OfEachSignal_AreWhereItGoes(string[] variables, string[] paths)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await ServeAsync(receiver, [.. variables.Select(variable => $"OTEL_EXPORTER_OTLP_{variable}")]);
        Assert.Equal(paths.Order(StringComparer.Ordinal), receiver.Paths);
        Assert.All(receiver.Exports, export => Assert.Equal(export.Path.StartsWith("/opentelemetry", StringComparison.Ordinal), export.IsGrpc));
    }

    [Theory]
    [InlineData("OTEL_TRACES_EXPORTER=none", new[] { "/v1/logs", "/v1/metrics" })]
    [InlineData("OTEL_METRICS_EXPORTER=None", new[] { "/v1/logs", "/v1/traces" })]
    [InlineData("OTEL_METRICS_EXPORTER=prometheus", new[] { "/v1/logs", "/v1/traces" })]
    [InlineData("OTEL_METRICS_EXPORTER=prometheus, otlp", new[] { "/v1/logs", "/v1/metrics", "/v1/traces" })]
    [InlineData("OTEL_LOGS_EXPORTER=none", new[] { "/v1/metrics", "/v1/traces" })]
    [InlineData("OTEL_LOGS_EXPORTER=otlp", new[] { "/v1/logs", "/v1/metrics", "/v1/traces" })]
    [InlineData("OTEL_TRACES_EXPORTER=", new[] { "/v1/logs", "/v1/metrics", "/v1/traces" })]
    [InlineData("OTEL_SDK_DISABLED=TRUE", new string[0])]
    [InlineData("OTEL_SDK_DISABLED=false", new[] { "/v1/logs", "/v1/metrics", "/v1/traces" })]
    public async Task Exporters_OfEachSignal_AreThoseThatSend(string variable, string[] paths)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        Assert.Empty(await ServeAsync(receiver, variable, "OTEL_EXPORTER_OTLP_ENDPOINT={http}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"));
        Assert.Equal(paths, receiver.Paths);
    }

    [Fact]
    public async Task Disabled_Metrics_AreNotServed()
    {
        await using var service = await SampleService.StartAsync("--OTEL_SDK_DISABLED=true");
        using var metrics = await service.SendAsync("GET", "/metrics");
        Assert.Equal(404, (int)metrics.StatusCode);
        Assert.Null(service.Services.GetService<TracerProvider>());
        Assert.Null(service.Services.GetService<MeterProvider>());
    }

    [Fact]
    public async Task Exporter_NamedWithoutEndpoint_SendsToTheSpecificationsDefault()
    {
        await using var service = await SampleService.StartAsync("--OTEL_TRACES_EXPORTER=otlp", "--OTEL_BSP_SCHEDULE_DELAY=2000000000");
        Assert.Equal(new Uri("http://localhost:4317"), OptionsOf(service, "Traces").Endpoint);
        await using var http = await SampleService.StartAsync("--OTEL_METRICS_EXPORTER=otlp", "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "--OTEL_METRIC_EXPORT_INTERVAL=2000000000");
        Assert.Equal(new Uri("http://localhost:4318/v1/metrics"), OptionsOf(http, "Metrics").Endpoint);
        Assert.Null(http.Services.GetService<TracerProvider>());
    }

    [Theory]
    [InlineData("{grpc}", "grpc")]
    [InlineData("{http}", "http/protobuf")]
    public async Task Headers_OfAllAndOfOneSignal_AreDecodedAndSent(string endpoint, string protocol)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var told = await ServeAsync(receiver, $"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}", $"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
            "OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20YTpi==, x-list = a%2Cb%3Dc ,",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS=x-own=1");
        Assert.Empty(told);
        foreach (var export in receiver.Exports)
        {
            Assert.Equal("gzip", export.Headers[protocol is "grpc" ? "grpc-encoding" : "content-encoding"]);
            var isTrace = export.Path is "/v1/traces" or GrpcTraces;
            Assert.Equal(isTrace ? "1" : null, export.Headers.GetValueOrDefault("x-own"));
            Assert.Equal(isTrace ? null : "Basic YTpi==", export.Headers.GetValueOrDefault("authorization"));
            Assert.Equal(isTrace ? null : "a,b=c", export.Headers.GetValueOrDefault("x-list"));
        }

        Assert.Equal(3, receiver.Paths.Count());
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "http/json is not supported; http/protobuf is used", "{http}")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL=thrift", "'thrift'", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=thrift", "'thrift'", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=localhost:4317", "'localhost:4317'", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=://user:s3cret@host", "'host'", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS=s3cret", "pair 1", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS=a=1,b c=s3cret,a=2", "pair 2", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS=a=s3cret%0d%0ab:c", "pair 1", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS=User-Agent=me", "pair 1", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT=-1", "'-1'", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT=10s", "'10s'", "{grpc}")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION=zstd", "'zstd'", "{grpc}")]
    [InlineData("OTEL_TRACES_EXPORTER=zipkin", "'zipkin'", "{grpc}")]
    [InlineData("OTEL_TRACES_EXPORTER=otlp,console", "'console'", "{grpc}")]
    [InlineData("OTEL_METRICS_EXPORTER=console", "'console'", "{grpc}")]
    [InlineData("OTEL_LOGS_EXPORTER=nonsense", "'nonsense'", "{grpc}")]
    [InlineData("OTEL_SDK_DISABLED=1", "it counts as false", "{grpc}")]
    [InlineData("OTEL_TRACES_SAMPLER=jaeger_remote", "parentbased_always_on is used", "{grpc}")]
    [InlineData("OTEL_PROPAGATORS=b3", "'b3'", "{grpc}")]
    [InlineData("OTEL_BSP_MAX_QUEUE_SIZE=0", "'0'", "{grpc}")]
    [InlineData("OTEL_BSP_MAX_EXPORT_BATCH_SIZE=5000", "2048 is used", "{grpc}")]
    [InlineData("OTEL_BSP_SCHEDULE_DELAY=0", "'0'", "{grpc}")]
    [InlineData("OTEL_BSP_EXPORT_TIMEOUT=-5", "'-5'", "{grpc}")]
    [InlineData("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=-1", "'-1'", "{grpc}")]
    [InlineData("OTEL_BLRP_SCHEDULE_DELAY=soon", "'soon'", "{grpc}")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL=0", "'0'", "{grpc}")]
    [InlineData("OTEL_METRIC_EXPORT_TIMEOUT=-2", "'-2'", "{grpc}")]
    [InlineData("OTEL_SPAN_EVENT_COUNT_LIMIT=-2", "'-2'", "{grpc}")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES=nonsense", "name1=value1", "{grpc}")]
    public async Task Variable_OfNoUse_IsToldInOneLineAndCountsAsNotSet(string variable, string told, string endpoint)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var line = Assert.Single(await ServeAsync(receiver, $"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}", variable));
        Assert.StartsWith("Warning ", line, StringComparison.Ordinal);
        Assert.Contains($": {variable.Split('=')[0]}", line, StringComparison.Ordinal);
        Assert.Contains(told, line, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.Equal(3, receiver.Paths.Count());
        if (variable.Contains("HEADERS=a=1", StringComparison.Ordinal)) Assert.All(receiver.Exports, export => Assert.Equal("2", export.Headers["a"]));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=/tmp/socket")]
    public async Task Endpoint_OfNoUseAndNoOther_SendsNothing(string variable)
    {
        await using var service = await SampleService.StartAsync($"--{variable}");
        Assert.Null(service.Services.GetService<TracerProvider>());
        Assert.Contains(service.Log, line => line.Contains("OTEL_EXPORTER_OTLP_ENDPOINT is", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Timeouts_OfAllAndOfOneSignal_AreTheExporters()
    {
        await using var service = await SampleService.StartAsync("--OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9", "--OTEL_EXPORTER_OTLP_TIMEOUT=1234", "--OTEL_EXPORTER_OTLP_LOGS_TIMEOUT=0");
        Assert.Equal(1234, OptionsOf(service, "Traces").TimeoutMilliseconds);
        Assert.Equal(int.MaxValue, OptionsOf(service, "Logs").TimeoutMilliseconds);
    }

    [Fact]
    public async Task Resource_AttributesAndName_GoWithEverySpan()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await ServeAsync(receiver, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={grpc}", "OTEL_SERVICE_NAME=mine",
            "OTEL_RESOURCE_ATTRIBUTES=service.name=not-this,service.version=1.0+build,deployment.environment=two%20words%2C%20one%20comma,host.name=elsewhere");
        var resource = receiver.Exports.First().Resource;
        Assert.Equal("mine", resource["service.name"]);
        Assert.Equal("1.0+build", resource["service.version"]);
        Assert.Equal("two words, one comma", resource["deployment.environment"]);
        Assert.Equal("elsewhere", resource["host.name"]);
    }

    [Theory]
    [InlineData("always_off", null, 0)]
    [InlineData("always_on", null, 40)]
    [InlineData("traceidratio", "0", 0)]
    [InlineData("parentbased_always_off", null, 0)]
    [InlineData("PARENTBASED_TRACEIDRATIO", "1.0", 40)]
    [InlineData("traceidratio", "1.5", 40)]
    public async Task Sampler_Chosen_Decides(string sampler, string? argument, int expected)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var told = await ServeAsync(receiver, requests: 40, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={grpc}", $"OTEL_TRACES_SAMPLER={sampler}", $"OTEL_TRACES_SAMPLER_ARG={argument}");
        Assert.Equal(argument is "1.5" ? 1 : 0, told.Count);
        Assert.Equal(expected, receiver.Exports.SelectMany(export => export.Spans).Count(IsOurs));
    }

    [Fact]
    public async Task Batches_AsLargeAsSaid_AreSent()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await ServeAsync(receiver, requests: 7, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={grpc}", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1", "OTEL_BSP_MAX_QUEUE_SIZE=100");
        Assert.All(receiver.Exports, export => Assert.Single(export.Spans));
        await ServeAsync(receiver, requests: 1, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={grpc}", "OTEL_BSP_MAX_QUEUE_SIZE=100");
    }

    [Fact]
    public async Task Intervals_AsShortAsSaid_SendBeforeTheEnd()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var service = await SampleService.StartAsync($"--OTEL_EXPORTER_OTLP_METRICS_ENDPOINT={receiver.Grpc}", "--OTEL_METRIC_EXPORT_INTERVAL=50");
        // By default it would take a minute.
        await Eventually.TrueAsync(() => receiver.Exports.Count > 2, "measurements come", limit: TimeSpan.FromSeconds(30));
    }

    private static OtlpExporterOptions OptionsOf(SampleService service, string signal) => service.Services.GetRequiredService<IOptionsMonitor<OtlpExporterOptions>>().Get(signal);

    // The sources of spans are the process's: other tests' requests are seen too.
    private static bool IsOurs(Lab.EndToEnd.Otlp.Span span) => span.Attributes.Any(attribute => attribute is { Key: "url.query", Value.StringValue: "?variables" });

    private static Task<IReadOnlyList<string>> ServeAsync(OtlpReceiver receiver, params string[] variables) => ServeAsync(receiver, requests: 1, variables);

    // What has been recorded is sent at the end.
    private static async Task<IReadOnlyList<string>> ServeAsync(OtlpReceiver receiver, int requests, params string[] variables)
    {
        await using var service = await SampleService.StartAsync([.. variables.Select(variable =>
            $"--{variable.Replace("{http}", receiver.Http, StringComparison.Ordinal).Replace("{grpc}", receiver.Grpc, StringComparison.Ordinal)}")]);
        for (var i = 0; i < requests; i++)
        {
            using var response = await service.SendAsync("GET", "/slow?variables");
            Assert.Equal("", await response.Content.ReadAsStringAsync(Cancellation));
        }

        return [.. service.Log.Where(line => line.Contains("OTEL_", StringComparison.Ordinal))];
    }
}
