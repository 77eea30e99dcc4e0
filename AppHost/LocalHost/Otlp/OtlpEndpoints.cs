using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Lab.AppHost.LocalHost.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Lab.AppHost.LocalHost.Otlp;

/// <summary>OTLP over HTTP with protobuf bodies (OTLP 1.x, section OTLP/HTTP): <c>POST /v1/traces</c>, <c>/v1/logs</c>, <c>/v1/metrics</c>.</summary>
internal static class OtlpEndpoints
{
    private const string Protobuf = "application/x-protobuf";
    private const long LargestBody = 16 * 1024 * 1024;

    /// <summary>Maps them; who does not bring the key is refused with 401, another content type with 415, a body of more than 16 MiB with 413, an unreadable one with 400.</summary>
    public static void MapOtlp(this IEndpointRouteBuilder endpoints, string key, TraceStore traces, MetricStore metrics)
    {
        Map("/v1/traces", body => traces.Add(OtlpReader.Spans(body).ToList()));
        Map("/v1/logs", body => traces.Add(OtlpReader.Logs(body).ToList()));
        Map("/v1/metrics", body => metrics.Add(OtlpReader.Metrics(body).ToList()));

        void Map(string path, Action<byte[]> take) => endpoints.MapPost(path, context => TakeAsync(context, Encoding.UTF8.GetBytes(key), take)).DisableAntiforgery();
    }

    private static async Task TakeAsync(HttpContext context, byte[] key, Action<byte[]> take)
    {
        var given = Encoding.UTF8.GetBytes(context.Request.Headers[DashboardAddress.KeyHeader].ToString());
        if (!CryptographicOperations.FixedTimeEquals(given, key))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        if (context.Request.ContentType != Protobuf || context.Request.Headers.ContentEncoding.Count > 0)
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = LargestBody;
        using var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            take(body.ToArray());
        }
        catch (BadHttpRequestException e)
        {
            context.Response.StatusCode = e.StatusCode;
            return;
        }
        catch (InvalidProtocolBufferException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        // An empty message says that everything was taken.
        context.Response.ContentType = Protobuf;
    }
}
