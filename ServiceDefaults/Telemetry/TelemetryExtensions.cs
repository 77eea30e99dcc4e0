using System.Diagnostics.Metrics;
using Lab.ServiceDefaults.Health;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>Traces, metrics and logs of a service by OpenTelemetry.</summary>
public static class TelemetryExtensions
{
    /// <summary>The environment variable that names a receiver of all signals (OpenTelemetry's own name for it).</summary>
    public const string EndpointVariable = $"{TelemetrySettings.OtlpPrefix}ENDPOINT";

    /// <summary>The path of the metrics in Prometheus' text format.</summary>
    public const string MetricsPath = "/metrics";

    // Telemetry is below the contracts that map it.
    private const string InfoPath = "/info";
    private const string PresencePath = "/presence";

    /// <summary>
    /// Series that a metric has room for, where nothing makes them many. The room is taken at the start, for each metric and
    /// each reader: OpenTelemetry's usual 2,000 make 5 MB of a worker, and 13 of one whose telemetry is sent.
    /// </summary>
    private const int FewSeries = 200;

    /// <summary>
    /// Room for every endpoint with every method and status that it can have: nothing that strangers send may use it up, or
    /// what others do is no longer counted by itself.
    /// </summary>
    private const int RequestSeries = 1000;

    private const string RequestDuration = "http.server.request.duration";
    private const string RoutingMeter = "Microsoft.AspNetCore.Routing";

    // Version and scheme would only multiply the series.
    private static readonly string[] RequestTags = ["http.request.method", "http.route", "http.response.status_code", "error.type"];

    /// <summary>
    /// Collects every meter named <c>Lab.*</c>, ASP.NET Core's requests and the runtime for <see cref="MetricsPath"/>.
    /// Where OpenTelemetry's variables name a receiver, such as <see cref="EndpointVariable"/>, adds what it is for: spans,
    /// logs, and HttpClient; and exports each of these signals over OTLP.
    /// </summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = TelemetrySettings.Read(builder.Configuration);
        builder.Services.AddSingleton(settings);
        builder.Services.AddHostedService<TelemetryFaults>();
        if (settings.IsDisabled) return;
        if (settings.Replacements.Count > 0) builder.Configuration.AddInMemoryCollection(settings.Replacements);
        var telemetry = builder.Services.AddOpenTelemetry()
            // The environment's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are read by the default resource and win.
            .ConfigureResource(resource => resource.AddService(builder.Environment.ApplicationName).AddHostName().AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics
                // Of ASP.NET Core's many meters the one whose numbers are needed: each costs every request a little.
                .AddMeter("Lab.*", "Microsoft.AspNetCore.Hosting")
                .AddRuntimeInstrumentation()
                .AddView(instrument => instrument switch
                {
                    { Name: RequestDuration } => new MetricStreamConfiguration { CardinalityLimit = RequestSeries, TagKeys = RequestTags },
                    // Each file of a page is a route.
                    { Meter.Name: RoutingMeter } => MetricStreamConfiguration.Drop,
                    _ when TellsOfEachWorker(instrument.Meter) => null,
                    _ => new MetricStreamConfiguration { CardinalityLimit = FewSeries },
                })
                .AddPrometheusExporter());

        // Each by itself: the SDK's exporter of all signals makes all of them, whichever is wanted.
        if (settings.Logs is { } logs)
        {
            telemetry.WithLogging(logging => logging.AddOtlpExporter(nameof(settings.Logs), logs.Apply), options =>
            {
                options.IncludeFormattedMessage = true;
                options.IncludeScopes = true;
            });
        }

        // Without a receiver nobody reads spans: not making them is what keeps an untraced request cheap.
        if (settings.Traces is { } traces)
        {
            telemetry.WithTracing(tracing => tracing
                .AddSource("Lab.*")
                .AddAspNetCoreInstrumentation(options => options.Filter = context => IsWorthASpan(context.Request.Path))
                .AddHttpClientInstrumentation(options => options.FilterHttpRequestMessage =
                    request => request.RequestUri is not { IsAbsoluteUri: true } address || IsWorthASpan(address.AbsolutePath))
                .AddOtlpExporter(nameof(settings.Traces), traces.Apply));
        }

        if (settings.Metrics is { } sent)
        {
            telemetry.WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddOtlpExporter(nameof(settings.Metrics), sent.Apply));
        }
    }

    /// <summary>Whether traces or logs go to a receiver.</summary>
    internal static bool IsTelemetrySent(this IHostApplicationBuilder builder) =>
        TelemetrySettings.Read(builder.Configuration) is { Traces: not null } or { Logs: not null };

    /// <summary>Maps <see cref="MetricsPath"/>, unless nothing is measured; as every endpoint it needs a key where keys are set.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        if (!endpoints.ServiceProvider.GetRequiredService<TelemetrySettings>().IsDisabled) endpoints.MapPrometheusScrapingEndpoint(MetricsPath);
    }

    // Ours, and those of the client that asks the workers; both may be many.
    private static bool TellsOfEachWorker(Meter meter) =>
        meter.Name.StartsWith("Lab.", StringComparison.Ordinal) || meter.Name.StartsWith("System.Net.", StringComparison.Ordinal);

    // Probes, and what an orchestrator asks a worker that it has not met or asks it each second: each would be a trace of its own.
    private static bool IsWorthASpan(PathString path) =>
        !path.StartsWithSegments(HealthEndpoints.ReadyPath, StringComparison.Ordinal)
        && !path.StartsWithSegments(HealthEndpoints.LivePath, StringComparison.Ordinal)
        && !path.StartsWithSegments(InfoPath, StringComparison.Ordinal)
        && !path.StartsWithSegments(PresencePath, StringComparison.Ordinal)
        && !path.StartsWithSegments(MetricsPath, StringComparison.Ordinal);

    private static ResourceBuilder AddHostName(this ResourceBuilder resource) =>
        resource.AddAttributes([new("host.name", Environment.MachineName)]);
}
