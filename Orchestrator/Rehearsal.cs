using System.Net;
using System.Text;
using Lab.Orchestrator.Dispatch;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Lab.Orchestrator;

/// <summary>
/// Serves a few requests before the orchestrator itself is put together: code is compiled when it first runs, which would
/// cost the first client a tenth of a second. Another instance of the application, without any of the user's
/// configuration, is asked over loopback and asks a worker that always answers the same; nothing of it is left, and
/// neither logs nor telemetry tell of it.
/// </summary>
internal static class Rehearsal
{
    private const string Worker = "worker";

    // A machine on which this takes longer has other worries.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly (string Type, string Body)[] Requests =
        [("application/json", """{"text":"Is it warm?"}"""), ("text/plain", "Is it warm?"), ("application/json", """{"text":"Is it warm?"}""")];

    /// <summary>Rehearses. Never throws: without it the first requests are slower, and nothing else.</summary>
    /// <param name="cancellationToken">Breaks it off.</param>
    /// <returns>Why it broke off, or <c>null</c>.</returns>
    public static Task<string?> RunAsync(CancellationToken cancellationToken) => RunAsync(Limit, cancellationToken);

    /// <inheritdoc cref="RunAsync(CancellationToken)"/>
    /// <param name="patience">When it breaks off by itself.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    internal static async Task<string?> RunAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            await using var worker = await StartWorkerAsync(limit.Token);
            await using var app = OrchestratorApp.Create(Builder(), Bare);
            await app.StartAsync(limit.Token);
            app.Services.GetRequiredService<Dispatcher>().SetWorkers(new Dictionary<string, Uri> { [Worker] = AddressOf(worker) });
            await AskAsync(AddressOf(app), limit.Token);
            await app.StopAsync(limit.Token);
            await worker.StopAsync(limit.Token);
            return null;
        }
#pragma warning disable CA1031 // Whatever it is: where it matters, it shows when the orchestrator itself starts.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e.Message;
        }
    }

    private static async Task AskAsync(Uri address, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
        foreach (var (type, body) in Requests)
        {
            // The first come before the worker has been probed, and are refused.
            while (true)
            {
                using var content = new StringContent(body, Encoding.UTF8, type);
                using var answer = await client.PostAsync(new Uri("/new_request", UriKind.Relative), content, cancellationToken);
                if (answer.IsSuccessStatusCode) break;
                await Task.Delay(TimeSpan.FromMilliseconds(2), cancellationToken);
            }
        }
    }

    private static async Task<WebApplication> StartWorkerAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Listen);
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
        var app = builder.Build();
        app.Run(context => context.Request.Path.Value switch
        {
            "/run_model" => context.Response.WriteAsync("""{"input_text":"Is it warm?","label":"POSITIVE","probabilities":[0.5,0.5],"inference_ms":1,"truncated":false}""", context.RequestAborted),
            "/health" => Task.CompletedTask,
            _ => Task.FromResult(context.Response.StatusCode = StatusCodes.Status404NotFound),
        });
        await app.StartAsync(cancellationToken);
        return app;
    }

    private static WebApplicationBuilder Builder()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        // Neither ports nor keys, files or receivers of telemetry.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Logging.ClearProviders();
        // Whatever addresses the environment names.
        builder.WebHost.ConfigureKestrel(Listen);
        // Or it would make the directory of the user's sessions.
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        return builder;
    }

    // Requests are served, and nothing else goes on.
    private static void Bare(IServiceCollection services)
    {
        services.RemoveAll<IHostedService>();
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoLifetime>());
    }

    private static void Listen(KestrelServerOptions kestrel) => kestrel.Listen(IPAddress.Loopback, 0);

    private static Uri AddressOf(WebApplication app) => new(app.Urls.Single());

    /// <summary>Leaves the process's signals alone.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
