using Lab.Orchestrator.Jobs.Postgres;
using Lab.Orchestrator.Jobs.Sqlite;
using Lab.ServiceDefaults.Access;
using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Jobs;

/// <summary>Adds what jobs need.</summary>
internal static class JobsSetup
{
    /// <summary>Adds the store, the runner and the sweep. After the dispatcher, so that the runner stops before it.</summary>
    public static void AddJobs(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<JobsOptions>().Bind(configuration.GetSection(JobsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<JobsOptions>, JobsOptionsValidator>();
        services.AddSingleton<IJobStore>(provider => CreateStore(
            provider.GetRequiredService<IOptions<JobsOptions>>().Value,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetRequiredService<IKeyHolders>()));
        services.AddSingleton<JobSignals>();
        services.AddSingleton<JobMetrics>();
        services.AddSingleton<JobRunner>();
        services.AddHostedService(provider => provider.GetRequiredService<JobRunner>());
        services.AddHostedService<JobSweep>();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, JobsJson.Relaxed));
    }

    private static IJobStore CreateStore(JobsOptions options, TimeProvider time, ILoggerFactory loggers, IKeyHolders keys) =>
        options.Provider is JobsProvider.Postgres
            ? new PostgresJobStore(options, time, loggers.CreateLogger<PostgresJobStore>(), keys.HasOther)
            : new SqliteJobStore(options, time, loggers.CreateLogger<SqliteJobStore>(), keys.HasOther);
}
