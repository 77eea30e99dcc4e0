using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.ServiceDefaults.Requests;

/// <summary>Refuses what other sites' pages make a browser send.</summary>
public static class ForeignPageRefusal
{
    // ASP.NET Core's own: where it is set, its filter knows better.
    private const string AllowedHosts = "AllowedHosts";

    private static readonly Refusal ForeignHost = new(StatusCodes.Status421MisdirectedRequest, "Another host's name",
        "This server listens on this machine only and is not known by that name. Set AllowedHosts to the names by which it may be called, or, behind a proxy, Proxies to its address.");

    /// <summary>
    /// Refuses changes that another site's page asks for (403) and, where the server listens on loopback only, every
    /// host name that may be anybody's (421). Stands behind routing.
    /// </summary>
    public static void UseForeignPageRefusal(this WebApplication app)
    {
        var server = app.Services.GetRequiredService<IServer>();
        var mayBeAnyHost = app.Configuration[AllowedHosts] is { Length: > 0 } and not "*";
        // Known as soon as the first request is there.
        var isLocal = new Lazy<bool>(() => !mayBeAnyHost && server.Features.Get<IServerAddressesFeature>()?.Addresses is { Count: > 0 } addresses
            && addresses.All(OpenDoorWarning.IsLoopback));
        app.Use((context, next) =>
            // The names by which a proxy is called are its own matter.
            isLocal.Value && !context.IsForwarded() && !ForeignPages.IsLocalName(context.Request.Host) ? ForeignHost.ToResult().ExecuteAsync(context)
            : ForeignPages.IsForeignChange(context.Request) ? Refusal.ForeignPage.ToResult().ExecuteAsync(context)
            : next(context));
    }
}
