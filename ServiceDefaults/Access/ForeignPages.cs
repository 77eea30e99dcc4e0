using System.Net;
using Microsoft.AspNetCore.Http;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// Tells what a browser sends for another site's page. No key and no cookie would keep it out where none is needed:
/// Fetch Metadata (W3C) and <c>Origin</c> (RFC 6454) do, neither of which a page can set.
/// </summary>
public static class ForeignPages
{
    private const string SecFetchSite = "Sec-Fetch-Site";

    /// <summary>Whether a request would change something, or opens a connection over which it could, and comes from another site's page.</summary>
    public static bool IsForeignChange(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var method = request.Method;
        var isSafe = HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);
        if (isSafe && request.Headers.Upgrade.Count == 0) return false;
        // Over plain HTTP browsers send an origin only.
        return request.Headers.TryGetValue(SecFetchSite, out var site) ? site is not (["same-origin"] or ["none"]) : HasForeignOrigin(request);
    }

    /// <summary>Whether a request names an origin that is not this server, by its own name or by the one its proxy was called by.</summary>
    public static bool HasForeignOrigin(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Headers.Origin is not { Count: > 0 } origin) return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var uri) || (!IsSame(request.Host.Value) && !IsSame(request.Headers["X-Forwarded-Host"]));

        bool IsSame(string? host) => string.Equals(uri.Authority, host, StringComparison.OrdinalIgnoreCase)
            // The port that goes without saying may be said all the same.
            || (uri.IsDefaultPort && string.Equals($"{uri.Host}:{uri.Port}", host, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>
    /// Whether a host name is none that its owner could make lead here while a page of it is open (DNS rebinding): an
    /// address, a name below <c>localhost</c>, or one without a dot, which nobody can register.
    /// </summary>
    public static bool IsLocalName(HostString host) =>
        !host.HasValue
        || !host.Host.Contains('.', StringComparison.Ordinal)
        || host.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host.Host.Trim('[', ']'), out _);
}
