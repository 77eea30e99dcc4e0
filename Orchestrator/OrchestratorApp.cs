using Lab.Orchestrator.Api;
using Lab.Orchestrator.Api.HalfClosed;
using Lab.Orchestrator.ClusterPage;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Workers;
using Lab.ServiceDefaults;
using Lab.ServiceDefaults.Access;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.ServiceDefaults.Contracts.InferenceApi;
using Lab.ServiceDefaults.Contracts.OpenInference;
using Lab.ServiceDefaults.Contracts.Predict;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Requests;
using Lab.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator;

/// <summary>Puts the orchestrator's parts together.</summary>
internal static class OrchestratorApp
{
    /// <summary>Builds the application; nothing listens before it is started.</summary>
    /// <param name="args">Configuration as command-line arguments.</param>
    public static WebApplication Create(params string[] args) => Create(_ => { }, args);

    /// <summary>Builds the application with some of its services replaced.</summary>
    /// <param name="replace">Is called after all services were added.</param>
    /// <param name="args">Configuration as command-line arguments.</param>
    internal static WebApplication Create(Action<IServiceCollection> replace, params string[] args) => Create(
        WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            // The page's files lie beside the program, wherever it is started from.
            WebRootPath = Path.Combine(AppContext.BaseDirectory, "wwwroot"),
        }),
        replace);

    /// <summary>Builds the application from what a builder has already.</summary>
    /// <param name="builder">The builder, with the whole configuration.</param>
    /// <param name="replace">Is called after all services were added.</param>
    internal static WebApplication Create(WebApplicationBuilder builder, Action<IServiceCollection> replace)
    {
        AddServices(builder);
        replace(builder.Services);

        var app = builder.Build();
        app.UseHalfClosedClients();
        app.UseRequestDefaults();
        app.UseExceptionAnswers();
        app.UseClientTrace();
        app.UseHandover();
        app.UseRouting();
        app.UseForeignPageRefusal();
        app.UsePlainHttpRule();
        app.UseFastPath();
        app.UseStatusAnswers();
        app.UseAccess();
        app.UseClusterPage();
        app.MapDefaultEndpoints();
        app.MapMetrics();
        // A browser has a session, and cannot send a key.
        app.MapApiDescription().RequireAuthorization(KeySessionExtensions.ReaderPolicy);
        app.MapNewRequest();
        app.MapJobs();
        app.MapWorkers();
        app.MapPredict();
        app.MapInferenceApi();
        app.MapOpenInference("lab-orchestrator");
        app.MapClusterPage();
        return app;
    }

    private static void AddServices(WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection(OrchestratorOptions.Section);
        var options = section.Get<OrchestratorOptions>() ?? new();
        builder.AddServiceDefaults(options.MaxBodyBytes);
        builder.AddAccess();
        builder.AddHttpsCertificate();
        builder.AddClusterPage();
        builder.Services.AddHalfClosedClients();
        builder.Services.AddApiDescription("Lab", "Send text to one address, and a fleet of workers classifies it.", keys: true);

        var services = builder.Services;
        services.AddOptions<OrchestratorOptions>().Bind(section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<OrchestratorOptions>, OrchestratorOptionsValidator>();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IWorkerClient, HttpWorkerClient>();
        services.AddSingleton<DispatchMetrics>();
        services.AddSingleton(provider => new BodyMemory(provider.GetRequiredService<IOptions<OrchestratorOptions>>().Value.BodyBytes));
        services.AddSingleton<Dispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<Dispatcher>());
        services.AddHostedService<WorkerListWatch>();
        services.AddSingleton<Handover>();
        services.AddHostedService(provider => provider.GetRequiredService<Handover>());
        // A connection that waits for its next request keeps a block of 4 KiB and saves each request a system call: 3 % more of them.
        services.AddOptions<SocketTransportOptions>().Configure(transport => transport.WaitForDataBeforeAllocatingBuffer = false);
        if (options.IsPortShared)
        {
            services.AddOptions<SocketTransportOptions>().Configure<Handover>((transport, handover) => handover.Share(transport));
            services.AddOptions<KestrelServerOptions>().Configure<Handover>((kestrel, handover) => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(handover.Count)));
        }

        services.AddJobs(builder.Configuration);
        services.AddSingleton<JobSubmission>();
        services.AddSingleton<IClassifier, FleetClassifier>();
        services.AddSingleton<WorkersFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<WorkersFeed>());
        services.AddHealthChecks().AddCheck<WorkersHealthCheck>("workers");
    }
}
