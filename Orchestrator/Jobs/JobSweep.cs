using Microsoft.Extensions.Options;

namespace Lab.Orchestrator.Jobs;

/// <summary>Lets the store drop results whose retention is over, so that it does not grow for ever.</summary>
internal sealed class JobSweep(IJobStore store, IOptions<JobsOptions> options, TimeProvider time, ILogger<JobSweep> logger) : BackgroundService
{
    private static readonly TimeSpan MaxInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var tenth = options.Value.Retention / 10;
        using var timer = new PeriodicTimer(tenth > MaxInterval ? MaxInterval : tenth < MinInterval ? MinInterval : tenth, time);
        do
        {
            try
            {
                var deleted = await store.SweepAsync(stoppingToken);
                if (deleted > 0) JobLog.Swept(logger, deleted);
            }
            catch (JobStoreException e)
            {
                JobLog.Unavailable(logger, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
