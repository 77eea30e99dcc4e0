using Lab.ServiceDefaults.Access;

namespace Lab.Orchestrator.ClusterPage.Access;

/// <summary>Metadata of the page's endpoints, which are for browsers and not for clients of the API.</summary>
internal sealed class PageEndpoint
{
    private PageEndpoint()
    {
    }

    public static PageEndpoint Instance { get; } = new();
}

/// <summary>What browsers are told of the page, and what is refused to other sites.</summary>
internal static class PageHeaders
{
    // Everything from here and nothing inline but styles, which the components set on their elements.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    public static TBuilder OfPage<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoint.Add(builder => builder.Metadata.Add(PageEndpoint.Instance));
        // A page's many small requests are not what a key's rate is meant for; what it asks of the fleet is counted there.
        return endpoint.DisableRateLimiting();
    }

    /// <summary>Puts the headers on everything of the page; stands behind routing.</summary>
    public static void UsePageHeaders(this WebApplication app) => app.Use((context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<PageEndpoint>() is null) return next(context);
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        return IsOfAnotherSite(context.Request) ? RefuseAsync(context) : next(context);
    });

    // Without keys there is no cookie that a browser would keep from other sites: what they send is told by its origin.
    private static bool IsOfAnotherSite(HttpRequest request) =>
        (request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site" && request.Headers["Sec-Fetch-Mode"] != "navigate")
        || (request.Headers["Sec-Fetch-Site"].Count == 0 && ForeignPages.HasForeignOrigin(request));

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return context.Response.WriteAsync("The cluster page is not for other sites.", context.RequestAborted);
    }
}
