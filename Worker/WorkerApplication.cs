using Lab.ServiceDefaults;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.ServiceDefaults.Contracts.InferenceApi;
using Lab.ServiceDefaults.Contracts.OpenInference;
using Lab.ServiceDefaults.Contracts.Predict;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Requests;
using Lab.ServiceDefaults.Starts;
using Lab.ServiceDefaults.Telemetry;
using Lab.Worker.Api;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Options;

namespace Lab.Worker;

/// <summary>The worker's web application, as <c>Program</c> runs it and as tests do.</summary>
internal static class WorkerApplication
{
    /// <summary>Puts the worker together.</summary>
    /// <param name="args">Command-line arguments: configuration.</param>
    /// <param name="configure">Changes before the application is built.</param>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        // Without what a worker has no use for: filters of host names, debuggers' and event sources' logs, IIS, patterns in routes.
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.AddServiceDefaults(WorkerOptions.MaxBodyBytes);
        var reading = configure is null ? BeginToRead(builder.Configuration) : null;
        try
        {
            return Build(builder, reading, configure);
        }
        catch
        {
            reading?.Dispose();
            throw;
        }
    }

    /// <summary>Serves until the process is told to stop, or until it turns out that the model cannot be served.</summary>
    /// <param name="create">Puts the worker together.</param>
    /// <returns>The process's exit code.</returns>
    public static Task<int> ServeAsync(Func<WebApplication> create) =>
        ServiceRun.RunAsync("error", create, failureOf: app => app.Services.GetRequiredService<ModelHost>().Failure);

    private static WebApplication Build(WebApplicationBuilder builder, ModelReading? reading, Action<WebApplicationBuilder>? configure)
    {
        builder.AddModel(reading);
        builder.AddApi();
        configure?.Invoke(builder);

        var app = builder.Build();
        // What the container has given out once, it disposes.
        _ = app.Services.GetService<ModelReading>();
        app.UseRequestDefaults();
        app.UseWarmUp();
        app.UseServiceDefaults();
        // Else it would stand before everything, and what the warm-up sends would find no endpoint.
        app.UseRouting();
        app.UseForeignPageRefusal();
        app.MapDefaultEndpoints();
        app.MapMetrics();
        app.MapApiDescription();
        app.MapRunModel();
        app.MapRunBatch();
        app.MapPresence();
        app.MapPredict();
        app.MapInferenceApi();
        app.MapOpenInference("lab-worker");
        return app;
    }

    // A model's files are read while the server is put together: that is a third of the time until it is ready.
    private static ModelReading? BeginToRead(ConfigurationManager configuration)
    {
        try
        {
            var options = configuration.GetSection(WorkerOptions.Section).Get<WorkerOptions>() ?? new();
            return new(options.FullModelDirectory, options.OpenCache(TimeProvider.System)?.Notes);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // What is wrong with the options is told when they are validated.
            return null;
        }
    }

    private static void AddModel(this WebApplicationBuilder builder, ModelReading? reading)
    {
        builder.Services.AddOptions<WorkerOptions>().BindConfiguration(WorkerOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<WorkerOptions>, WorkerOptions.Validator>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<WorkerTelemetry>();
        builder.Services.AddSingleton<Departure>();
        builder.Services.AddHostedService<SpotNoticeWatch>();
        if (reading is not null) builder.Services.AddSingleton(_ => reading);
        builder.Services.AddSingleton(services =>
        {
            var options = services.GetRequiredService<IOptions<WorkerOptions>>().Value;
            var gate = new InferenceGate(options.QueueLimit, options.Cores, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<Departure>(), services.GetRequiredService<KnownOrchestrators>().Others);
            services.GetRequiredService<WorkerTelemetry>().Observe(gate);
            return gate;
        });
        builder.Services.AddSingleton<ModelLoader>(services => cancellationToken =>
        {
            var options = services.GetRequiredService<IOptions<WorkerOptions>>().Value;
            var time = services.GetRequiredService<TimeProvider>();
            return TextModel.Load(
                reading?.Take() ?? ModelFiles.Read(options.FullModelDirectory, options.OpenCache(time)?.Notes),
                options,
                services.GetRequiredService<WorkerTelemetry>(),
                time,
                services.GetRequiredService<ILogger<ModelCompiler>>(),
                cancellationToken);
        });
        builder.Services.AddWarmUp();
        builder.Services.AddSingleton<ModelHost>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ModelHost>());
        builder.Services.AddHealthChecks().AddCheck<NotReady.Check>("model");
    }

    private static void AddApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddApiDescription("Lab worker", "Classifies one dispatch at a time: one text or a small batch. Workers carry no key.", keys: false);
        builder.Services.AddSingleton<IClassifier, WorkerClassifier>();
        builder.Services.AddSingleton<KnownOrchestrators>();
    }
}
