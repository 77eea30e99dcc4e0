using Lab.Orchestrator.ClusterPage.Access;
using Lab.Orchestrator.ClusterPage.Live;
using Lab.Orchestrator.ClusterPage.Parts;
using Lab.ServiceDefaults.Access;
using Microsoft.FluentUI.AspNetCore.Components;

namespace Lab.Orchestrator.ClusterPage;

/// <summary>The cluster page, <c>GET /</c>: hosts, workers, requests and charts, which push themselves to whoever looks.</summary>
internal static class ClusterPageSetup
{
    // Made of the build's output, and read from beside the program wherever it is started from.
    private const string AssetList = "Orchestrator.staticwebassets.endpoints.json";
    private const string CircuitPath = "/_blazor";
    private const int MaxLostCircuits = 20;
    private static readonly TimeSpan LostCircuitKept = TimeSpan.FromMinutes(1);

    public static void AddClusterPage(this WebApplicationBuilder builder)
    {
        // Otherwise only a Development environment finds the assets of a build that was not published.
        builder.WebHost.UseStaticWebAssets();
        // Nor does it serve files that change while it runs, for which every request would be looked at.
        builder.Configuration["ReloadStaticAssetsAtRuntime"] = "false";
        builder.AddKeySessions();
        var services = builder.Services;
        services.AddSingleton<LastMinute>();
        services.AddSingleton<ClusterFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<ClusterFeed>());
        services.AddFluentUIComponents();
        services.AddAntiforgery(antiforgery => antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest);
        services.AddRazorComponents().AddInteractiveServerComponents(circuit =>
        {
            circuit.DisconnectedCircuitMaxRetained = MaxLostCircuits;
            circuit.DisconnectedCircuitRetentionPeriod = LostCircuitKept;
        });
    }

    /// <summary>Puts the page's checks behind those of the API.</summary>
    public static void UseClusterPage(this WebApplication app)
    {
        app.UsePageHeaders();
        app.UseAntiforgery();
    }

    public static void MapClusterPage(this WebApplication app)
    {
        app.MapStaticAssets(Path.Combine(AppContext.BaseDirectory, AssetList)).OfPage().AllowAnonymous();
        app.MapPageAccess();
        app.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode(mode =>
            {
                // The page's own policy says more, and packing ten pages' news each second costs more than sending it.
                mode.ContentSecurityFrameAncestorsPolicy = null;
                mode.DisableWebSocketCompression = true;
            })
            .OfPage()
            .Add(endpoint =>
            {
                // The page itself shows a form to those who have no session; the circuit behind it is for those who have.
                var policy = endpoint is RouteEndpointBuilder { RoutePattern.RawText: { } path } && path.StartsWith(CircuitPath, StringComparison.Ordinal)
                    ? KeySessionExtensions.SessionPolicy
                    : KeySessionExtensions.VisitorPolicy;
                endpoint.Metadata.Add(new Microsoft.AspNetCore.Authorization.AuthorizeAttribute(policy));
            });
    }
}
