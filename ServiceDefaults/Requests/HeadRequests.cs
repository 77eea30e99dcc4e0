using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Lab.ServiceDefaults.Requests;

/// <summary>
/// Answers <c>HEAD</c> wherever <c>GET</c> is answered, with the same status and headers (RFC 9110, 9.3.2): the request
/// is handled as a <c>GET</c>, and the server, which knows the method that came, sends no body.
/// </summary>
public static class HeadRequests
{
    /// <summary>Stands before routing.</summary>
    public static void UseHeadRequests(this WebApplication app) => app.Use((context, next) =>
        HttpMethods.IsHead(context.Request.Method) ? HandleAsGetAsync(context, next) : next(context));

    /// <summary>Whether only the headers of the answer are sent: a stream without an end then ends at once.</summary>
    public static bool IsHeadersOnly(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<Marker>() is not null;
    }

    /// <summary>Names <c>HEAD</c> where <c>GET</c> is named: the router does not know of it.</summary>
    internal static void AllowBesideGet(HttpResponse response)
    {
        var methods = response.Headers.GetCommaSeparatedValues(HeaderNames.Allow);
        if (methods.Contains(HttpMethods.Get) && !methods.Contains(HttpMethods.Head)) response.Headers.Allow = string.Join(", ", methods.Append(HttpMethods.Head));
    }

    private static async Task HandleAsGetAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set(Marker.Instance);
        context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        finally
        {
            // Measurements and logs are made of it after the answer.
            context.Request.Method = HttpMethods.Head;
        }
    }

    private sealed class Marker
    {
        public static Marker Instance { get; } = new();
    }
}
