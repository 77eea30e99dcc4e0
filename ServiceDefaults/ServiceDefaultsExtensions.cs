using System.Globalization;
using System.Text.Json.Serialization;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.InferenceApi;
using Lab.ServiceDefaults.Contracts.OpenInference;
using Lab.ServiceDefaults.Contracts.Predict;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Requests;
using Lab.ServiceDefaults.Starts;
using Lab.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lab.ServiceDefaults;

/// <summary>What every service of Lab starts with.</summary>
public static class ServiceDefaultsExtensions
{
    private const long MaxConnections = 20_000;

    // For each connection (over HTTP/2 for each request, and four times that for all of them) before anybody reads it: hundreds of clients with a megabyte each would take all memory at the default of 1 MiB.
    private const int MaxUnreadBytes = RejectedRequests.MaxHeaderBytes;

    // Defaults that configuration may override. In code, for a settings file is only found where the program is started from.
    private static readonly Dictionary<string, string?> QuietLogging = new()
    {
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "Critical",
        // A line for each connection that is refused because there are too many.
        ["Logging:LogLevel:Microsoft.AspNetCore.Server.Kestrel.Connections"] = "Error",
    };

    // Where no receiver takes them, the scope and the identity that hosting gives each request's log records are a tenth
    // of what a request costs; what it would log itself is told by others.
    private static readonly Dictionary<string, string?> QuietHosting = new(QuietLogging)
    {
        ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "None",
    };

    /// <summary>Adds telemetry, health checks, problem details for errors without a body, and the wire's JSON.</summary>
    /// <param name="builder">The service's builder.</param>
    /// <param name="maxBodyBytes">The largest request body that is read, in bytes; a larger one is refused with 413.</param>
    public static void AddServiceDefaults(this WebApplicationBuilder builder, long maxBodyBytes)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // Logs and error texts read the same in every locale: "0.5 s", not "0,5 s".
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        SettingsFileWatch.TakeOver(builder);
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = builder.IsTelemetrySent() ? QuietLogging : QuietHosting });
        builder.AddStartChecks();
        builder.AddTelemetry();
        builder.Services.AddDefaultHealthChecks();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddHostedService<DescriptorWatch>();
        builder.Services.AddSingleton<KnownProxies>();
        builder.Services.AddHostedService<RejectedRequests>();
        builder.Services.AddProblemDetails();
        builder.Services.AddSingleton<ErrorShape>(OpenInferenceShape.Instance);
        builder.Services.AddSingleton<ErrorShape>(PredictShape.Instance);
        builder.Services.AddSingleton<ErrorShape>(PredictShape.Rerank);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Encoder = WireJson.Relaxed.Options.Encoder;
            json.SerializerOptions.PropertyNamingPolicy = WireJson.Relaxed.Options.PropertyNamingPolicy;
            json.SerializerOptions.DefaultIgnoreCondition = WireJson.Relaxed.Options.DefaultIgnoreCondition;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, WireJson.Relaxed);
            json.SerializerOptions.TypeInfoResolverChain.Insert(1, PredictJson.Relaxed);
            json.SerializerOptions.TypeInfoResolverChain.Insert(2, OpenInferenceJson.Relaxed);
            json.SerializerOptions.TypeInfoResolverChain.Insert(3, InferenceApiJson.Relaxed);
            // A number is never written as a string, and the API's description says what these options do.
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        // Kestrel's own limit of the same meaning is read by nobody.
        builder.Services.Configure<SocketTransportOptions>(transport => transport.MaxReadBufferSize = MaxUnreadBytes);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = maxBodyBytes;
            // Thousands of waiting clients are what a queue is for; beyond that, each costs memory and answers nobody.
            kestrel.Limits.MaxConcurrentConnections = Math.Min(MaxConnections, DescriptorWatch.Limit / 2 ?? MaxConnections);
            kestrel.Limits.Http2.InitialStreamWindowSize = MaxUnreadBytes;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * MaxUnreadBytes;
            kestrel.Limits.MaxRequestHeaderCount = RejectedRequests.MaxHeaders;
            kestrel.Limits.MaxRequestHeadersTotalSize = RejectedRequests.MaxHeaderBytes;
            // Over HTTP/2 all cookies may come as one header.
            kestrel.Limits.Http2.MaxRequestHeaderFieldSize = RejectedRequests.MaxHeaderBytes;
            // A client of a proxy may send an address with its host, which then counts (RFC 9112, 3.2.2).
            kestrel.AllowHostHeaderOverride = true;
            // A client that sends its headers or body a byte at a time holds a connection for no longer than this.
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MinRequestBodyDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
            // An answer with a text of 1 MiB may take 6 MiB of memory until its client has read it: minutes, not the hours of the default.
            kestrel.Limits.MinResponseDataRate = new(bytesPerSecond: 8 * 1024, gracePeriod: TimeSpan.FromSeconds(5));
            // Longer than proxies keep an idle connection (Caddy two minutes, nginx one): it is they that close it, and never just as they use it.
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(150);
        });
    }

    /// <summary>
    /// Puts first what makes requests the same however they come: through a proxy, by <c>HEAD</c>, with a body that is too
    /// large. Stands before routing.
    /// </summary>
    public static void UseRequestDefaults(this WebApplication app)
    {
        app.UseProxyHeaders();
        app.UseHeadRequests();
        app.UseBodyLimit();
    }

    /// <summary>Puts the handlers of unexpected errors and of bodiless statuses first.</summary>
    public static void UseServiceDefaults(this WebApplication app)
    {
        app.UseExceptionAnswers();
        app.UseStatusAnswers();
    }

    /// <summary>Tells unexpected errors in the endpoint's <see cref="ErrorShape"/>.</summary>
    public static void UseExceptionAnswers(this WebApplication app)
    {
        app.Use(AnswerWithoutMemoryAsync);
        app.UseExceptionHandler(ExceptionAnswers());
    }

    // Where there is no memory for an answer in its proper form either: the status alone.
    private static async Task AnswerWithoutMemoryAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (OutOfMemoryException) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
        }
    }

    private static ExceptionHandlerOptions ExceptionAnswers() => new()
    {
        StatusCodeSelector = exception => exception switch
        {
            BadHttpRequestException refused => refused.StatusCode,
            IOException => StatusCodes.Status400BadRequest,
            OutOfMemoryException => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status500InternalServerError,
        },
        ExceptionHandler = context =>
        {
            var error = context.Features.Get<IExceptionHandlerFeature>()?.Error;
            // What this request lacked others have taken, and give back.
            if (error is OutOfMemoryException) return ErrorShape.Of(context).WriteAsync(context, BodyMemory.Refusal);
            if (error is not ConnectionResetException) return ErrorShape.WriteStatusAsync(context);
            // Nobody is there to be answered. Unless it is told the server goes on reading the body, and logs that it cannot.
            context.Abort();
            return Task.CompletedTask;
        },
        // A body that is malformed or breaks off is its client's fault; no endpoint reads anything else by itself.
        SuppressDiagnosticsCallback = handled => handled.Exception is IOException,
    };

    /// <summary>Tells statuses without a body in the endpoint's <see cref="ErrorShape"/>.</summary>
    public static void UseStatusAnswers(this WebApplication app) =>
        app.UseStatusCodePages(context =>
        {
            HeadRequests.AllowBesideGet(context.HttpContext.Response);
            return ErrorShape.WriteStatusAsync(context.HttpContext);
        });
}
