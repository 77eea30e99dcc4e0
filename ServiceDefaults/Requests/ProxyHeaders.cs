using System.Text.RegularExpressions;
using Lab.ServiceDefaults.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.ServiceDefaults.Requests;

/// <summary>
/// Takes what a known proxy tells of the request that it forwards for the request's own: the client's address, scheme, host
/// and the path under which the service is found there (<c>X-Forwarded-For</c>, <c>-Proto</c>, <c>-Host</c>, <c>-Prefix</c>).
/// </summary>
public static partial class ProxyHeaders
{
    private const string AllowedHosts = "AllowedHosts";

    /// <summary>Stands before whatever asks for one of these. Where no proxies are named it does nothing.</summary>
    public static void UseProxyHeaders(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var proxies = app.Services.GetRequiredService<KnownProxies>();
        if (proxies.IsEmpty) return;
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.All,
            // As many as are known, one before the other.
            ForwardLimit = null,
            AllowedHosts = (app.Configuration[AllowedHosts] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in proxies.Networks) options.KnownIPNetworks.Add(network);
        // The library believes everybody on a Unix socket.
        app.UseWhen(context => proxies.Contains(context.Connection.RemoteIpAddress), branch =>
        {
            branch.Use((context, next) =>
            {
                if (IsForwarded(context.Request.Headers)) context.Features.Set(Marker.Instance);
                KeepUsablePrefix(context.Request.Headers);
                return next(context);
            });
            branch.UseForwardedHeaders(options);
        });
    }

    /// <summary>Whether a known proxy has forwarded the request.</summary>
    public static bool IsForwarded(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<Marker>() is not null;
    }

    private static bool IsForwarded(IHeaderDictionary headers) =>
        headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName) || headers.ContainsKey(ForwardedHeadersDefaults.XForwardedHostHeaderName)
        || headers.ContainsKey(ForwardedHeadersDefaults.XForwardedProtoHeaderName) || headers.ContainsKey(ForwardedHeadersDefaults.XForwardedPrefixHeaderName);

    // Addresses are made of it: "//other.example" would be another site's, and a slash at its end would be there twice.
    private static void KeepUsablePrefix(IHeaderDictionary headers)
    {
        var name = ForwardedHeadersDefaults.XForwardedPrefixHeaderName;
        if (headers[name] is not { Count: > 0 } values) return;
        var prefix = values.ToString().TrimEnd('/');
        if (Prefix().IsMatch(prefix)) headers[name] = prefix;
        else headers.Remove(name);
    }

    [GeneratedRegex(@"\A(/(?!\.\.?(/|\z))[A-Za-z0-9._~-]+)+\z")]
    private static partial Regex Prefix();

    private sealed class Marker
    {
        public static Marker Instance { get; } = new();
    }
}
