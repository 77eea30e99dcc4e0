using Lab.ServiceDefaults.Health;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>Traces, metrics and logs of a service by OpenTelemetry.</summary>
public static class TelemetryExtensions
{
    /// <summary>The environment variable without which nothing is exported (OpenTelemetry's own name for it).</summary>
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>
    /// Instruments ASP.NET Core, HttpClient and the runtime, listens to every source and meter named <c>Lab.*</c>,
    /// and exports all three signals over OTLP where <see cref="EndpointVariable"/> is set.
    /// </summary>
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var exports = !string.IsNullOrWhiteSpace(builder.Configuration[EndpointVariable]);
        // Without a receiver nobody reads spans: not making them is what keeps an untraced request cheap.
        if (!exports) return;

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        builder.Services.AddOpenTelemetry()
            // The environment's OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are read by the default resource and win.
            .ConfigureResource(resource => resource.AddHostName().AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing
                .AddSource("Lab.*")
                .AddAspNetCoreInstrumentation(options => options.Filter = IsNotHealthProbe)
                .AddHttpClientInstrumentation())
            .WithMetrics(metrics => metrics
                .AddMeter("Lab.*")
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation())
            .UseOtlpExporter();
    }

    private static bool IsNotHealthProbe(HttpContext context) =>
        !context.Request.Path.StartsWithSegments(HealthEndpoints.ReadyPath, StringComparison.Ordinal)
        && !context.Request.Path.StartsWithSegments(HealthEndpoints.LivePath, StringComparison.Ordinal);

    private static ResourceBuilder AddHostName(this ResourceBuilder resource) =>
        resource.AddAttributes([new("host.name", Environment.MachineName)]);
}
