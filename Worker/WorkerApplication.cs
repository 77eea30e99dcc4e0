using Lab.ServiceDefaults;
using Lab.ServiceDefaults.Contracts;
using Lab.ServiceDefaults.Contracts.Description;
using Lab.ServiceDefaults.Contracts.OpenInference;
using Lab.ServiceDefaults.Contracts.Predict;
using Lab.ServiceDefaults.Health;
using Lab.ServiceDefaults.Telemetry;
using Lab.Worker.Api;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Options;

namespace Lab.Worker;

/// <summary>The worker's web application, as <c>Program</c> runs it and as tests do.</summary>
internal static class WorkerApplication
{
    /// <summary>The exit code of a worker that has no model or no valid configuration.</summary>
    public const int FailureExitCode = 1;

    /// <summary>Puts the worker together.</summary>
    /// <param name="args">Command-line arguments: configuration.</param>
    /// <param name="configure">Changes before the application is built.</param>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        // Without what a worker has no use for: filters of host names, debuggers' and event sources' logs, IIS, patterns in routes.
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.AddServiceDefaults(WorkerOptions.MaxBodyBytes);
        builder.AddModel(configure is null ? BeginToRead(builder.Configuration) : null);
        builder.AddApi();
        configure?.Invoke(builder);

        var app = builder.Build();
        app.UseRequestDefaults();
        app.UseRouting();
        app.UseServiceDefaults();
        app.UseForeignPageRefusal();
        app.MapDefaultEndpoints();
        app.MapMetrics();
        app.MapApiDescription();
        app.MapRunModel();
        app.MapRunBatch();
        app.MapPredict();
        app.MapOpenInference("lab-worker");
        return app;
    }

    /// <summary>Serves until the process is told to stop, or until it turns out that the model cannot be served.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> ServeAsync(WebApplication app)
    {
        try
        {
            // Looked at before the host starts, which would put a stack trace in the log.
            _ = app.Services.GetRequiredService<IOptions<WorkerOptions>>().Value;
            var host = app.Services.GetRequiredService<ModelHost>();
            var failed = await app.RunToEndAsync();
            if ((host.Failure ?? failed) is not { } failure) return 0;
            await Console.Error.WriteLineAsync($"error: {failure}");
        }
        catch (OptionsValidationException e)
        {
            await Console.Error.WriteLineAsync($"error: {string.Join("; ", e.Failures)}");
        }

        return FailureExitCode;
    }

    // A model's files are read while the server is put together: that is a third of the time until it is ready.
    private static Task<ModelFiles>? BeginToRead(ConfigurationManager configuration)
    {
        try
        {
            var options = configuration.GetSection(WorkerOptions.Section).Get<WorkerOptions>() ?? new();
            var directory = options.FullModelDirectory;
            var notes = options.OpenCache(TimeProvider.System)?.Notes;
            OnnxRuntimeProcess.SilenceTelemetry();
            return Task.Run(() => ModelFiles.Read(directory, notes));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // What is wrong with the options is told when they are validated.
            return null;
        }
    }

    private static void AddModel(this WebApplicationBuilder builder, Task<ModelFiles>? files)
    {
        builder.Services.AddOptions<WorkerOptions>().BindConfiguration(WorkerOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<WorkerOptions>, WorkerOptions.Validator>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<WorkerTelemetry>();
        builder.Services.AddSingleton(services =>
        {
            var options = services.GetRequiredService<IOptions<WorkerOptions>>().Value;
            var gate = new InferenceGate(options.QueueLimit, options.Cores);
            services.GetRequiredService<WorkerTelemetry>().Observe(gate);
            return gate;
        });
        builder.Services.AddSingleton<ModelLoader>(services => cancellationToken =>
        {
            var options = services.GetRequiredService<IOptions<WorkerOptions>>().Value;
            var time = services.GetRequiredService<TimeProvider>();
            return TextModel.Load(
                files?.GetAwaiter().GetResult() ?? ModelFiles.Read(options.FullModelDirectory, options.OpenCache(time)?.Notes),
                options,
                services.GetRequiredService<WorkerTelemetry>(),
                time,
                services.GetRequiredService<ILogger<ModelCompiler>>(),
                cancellationToken);
        });
        builder.Services.AddSingleton<ModelHost>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ModelHost>());
        builder.Services.AddHealthChecks().AddCheck<NotReady.Check>("model");
    }

    private static void AddApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddApiDescription("Lab worker", "Classifies one dispatch at a time: one text or a small batch. Workers carry no key.", keys: false);
        builder.Services.AddSingleton<IClassifier, WorkerClassifier>();
    }
}
