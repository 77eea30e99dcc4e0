using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults;

namespace Lab.Orchestrator;

/// <summary>Puts the orchestrator's parts together.</summary>
internal static class OrchestratorServices
{
    public static void AddOrchestrator(this WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection(OrchestratorOptions.Section);
        var options = section.Get<OrchestratorOptions>() ?? new();
        builder.AddServiceDefaults(options.MaxBodyBytes);

        var services = builder.Services;
        services.AddOptions<OrchestratorOptions>().Bind(section).ValidateOnStart();
        services.AddSingleton<Microsoft.Extensions.Options.IValidateOptions<OrchestratorOptions>, OrchestratorOptionsValidator>();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IWorkerClient, HttpWorkerClient>();
        services.AddSingleton<DispatchMetrics>();
        services.AddSingleton<Dispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<Dispatcher>());
        services.AddHostedService<WorkerListWatch>();
        services.AddHealthChecks().AddCheck<WorkersHealthCheck>("workers");
    }
}
