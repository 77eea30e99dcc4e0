using System.Runtime.Loader;
using Lab.Orchestrator.Tests;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

[assembly: HostingStartup(typeof(FailingStartup))]

namespace Lab.Orchestrator.Tests
{
    /// <summary>Puts a background service that fails into an orchestrator that runs as a process of its own.</summary>
    public sealed class FailingStartup : IHostingStartup
    {
        /// <summary>How it fails: <c>at once</c>, <c>later</c> or <c>canceled</c>; or the file that it makes before it hangs. Absent where it is not wanted.</summary>
        public const string Variable = "LAB_TEST_FAILING_SERVICE";

        /// <summary>What such a process is started with.</summary>
        public static IReadOnlyDictionary<string, string?> Environment(string how) => new Dictionary<string, string?>
        {
            [Variable] = how,
            ["DOTNET_STARTUP_HOOKS"] = typeof(FailingStartup).Assembly.Location,
            ["ASPNETCORE_HOSTINGSTARTUPASSEMBLIES"] = typeof(FailingStartup).Assembly.GetName().Name,
        };

        /// <inheritdoc/>
        public void Configure(IWebHostBuilder builder)
        {
            if (System.Environment.GetEnvironmentVariable(Variable) is { } how)
                builder.ConfigureServices(services => services.AddHostedService(provider => new FailingService(how, provider.GetRequiredService<IHostApplicationLifetime>())));
        }

        private sealed class FailingService(string how, IHostApplicationLifetime lifetime) : BackgroundService
        {
            public override Task StartAsync(CancellationToken cancellationToken)
            {
                if (!Path.IsPathFullyQualified(how)) return base.StartAsync(cancellationToken);
                File.WriteAllText(how, "");
                Thread.Sleep(Timeout.Infinite);
                return Task.CompletedTask;
            }

            protected override async Task ExecuteAsync(CancellationToken stoppingToken)
            {
                if (how != "at once") await Task.Delay(Timeout.Infinite, lifetime.ApplicationStarted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw how == "canceled" ? new OperationCanceledException("given up") : new InvalidOperationException("out of\norder");
            }
        }
    }
}

/// <summary>The runtime calls this before the program: it finds the tests' assembly, which the program knows nothing of.</summary>
internal static class StartupHook
{
    public static void Initialize() => AssemblyLoadContext.Default.Resolving += (context, name) =>
        Path.Combine(AppContext.BaseDirectory, $"{name.Name}.dll") is var path && File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
}
