using System.Reflection;
using Lab.AppHost.LocalHost.Otlp;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.FluentUI.AspNetCore.Components;

namespace Lab.AppHost.LocalHost.Dashboard;

/// <summary>Serves the dashboard's pages at one port and takes in telemetry at another, both for this machine alone.</summary>
internal sealed class DashboardServer : IAsyncDisposable
{
    private const string Styles = "dashboard.css";
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;

    private DashboardServer(WebApplication app, string url) => (_app, Url) = (app, url);

    /// <summary>Where a browser finds it.</summary>
    public string Url { get; }

    /// <summary>Starts it; the services can do without, so that a failure is told and no more.</summary>
    public static async Task<DashboardServer?> StartAsync(DashboardAddress address, IReadOnlyList<ResourceRunner> runners, Output output, TimeProvider time)
    {
        var app = Build(address, runners, time);
        try
        {
            await app.StartAsync();
            return new(app, $"http://localhost:{address.Port}");
        }
        catch (IOException e)
        {
            output.Complain($"There is no dashboard: {e.Message}");
            await app.DisposeAsync();
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(Farewell);
        await _app.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.DisposeAsync();
    }

    private static WebApplication Build(DashboardAddress address, IReadOnlyList<ResourceRunner> runners, TimeProvider time)
    {
        // The build output's own folder, whatever the current one is: the component library's files are found from there.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production });
        builder.WebHost.UseStaticWebAssets();
        // Nothing but what is said here: the AppHost's settings are not the dashboard's. A page whose name an attacker points
        // at this machine bears that name in its Host header.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["AllowedHosts"] = "localhost;127.0.0.1;[::1]" });
        // A page that is still open from before brings a cookie that nobody can read any more: no error, though told as one.
        builder.Logging.ClearProviders().AddSimpleConsole().SetMinimumLevel(LogLevel.Error).AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.None);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 500;
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
            kestrel.ListenLocalhost(address.Port);
            kestrel.ListenLocalhost(address.OtlpPort);
        });

        var services = builder.Services;
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.AddSingleton(time).AddSingleton(address).AddSingleton(runners).AddSingleton<TraceStore>().AddSingleton<MetricStore>();
        // Keys that end with the process: what they protect does, too.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddRazorComponents().AddInteractiveServerComponents(circuits => circuits.DisconnectedCircuitMaxRetained = 10);
        services.AddFluentUIComponents();

        var app = builder.Build();
        app.Use((context, next) => Guard.CheckAsync(context, next, address));
        app.UseAntiforgery();
        app.MapOtlp(address.Key, app.Services.GetRequiredService<TraceStore>(), app.Services.GetRequiredService<MetricStore>());
        app.MapStaticAssets();
        app.MapGet("/" + Styles, () => TypedResults.Stream(Assembly.GetExecutingAssembly().GetManifestResourceStream(Styles)!, "text/css"));
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(circuits => circuits.ContentSecurityFrameAncestorsPolicy = null);
        return app;
    }

    /// <summary>Signals are the AppHost's to handle: the dashboard is there until everything else has ended.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
