using Microsoft.AspNetCore.Http;

namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>Keeps the two ports apart, and other sites' pages from using the dashboard through its user's browser.</summary>
internal static class Guard
{
    private const string Policy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Lets a request through, or refuses it: 404 at the wrong port, 403 from another site, circuits included.</summary>
    public static Task CheckAsync(HttpContext context, RequestDelegate next, DashboardAddress address)
    {
        var isOtlp = context.Connection.LocalPort == address.OtlpPort;
        if (isOtlp != context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal))
            return Refuse(StatusCodes.Status404NotFound);
        if (context.Request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != $"http://{context.Request.Host}")
            return Refuse(StatusCodes.Status403Forbidden);

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        return next(context);

        Task Refuse(int status)
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }
    }
}
