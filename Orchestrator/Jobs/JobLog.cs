using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Jobs;

internal static partial class JobLog
{
    [LoggerMessage(1, LogLevel.Information, "Jobs are kept in {Where}, up to {MaxBytes} bytes of them")]
    public static partial void Opened(ILogger logger, string where, long maxBytes);

    [LoggerMessage(2, LogLevel.Information, "{Count} jobs of an orchestrator that is no more are queued again")]
    public static partial void TakenOver(ILogger logger, int count);

    [LoggerMessage(3, LogLevel.Debug, "Job {JobId} is {Status}")]
    public static partial void Finished(ILogger logger, Guid jobId, string status);

    [LoggerMessage(4, LogLevel.Debug, "Job {JobId} ended elsewhere first; what was computed here is dropped")]
    public static partial void Dropped(ILogger logger, Guid jobId);

    [LoggerMessage(5, LogLevel.Warning, "The store of jobs is not to be had, and is tried again: {Reason}")]
    public static partial void Unavailable(ILogger logger, string reason);

    [LoggerMessage(6, LogLevel.Information, "The store of jobs is there again")]
    public static partial void Available(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "{Count} results past their retention are deleted")]
    public static partial void Swept(ILogger logger, int count);

    [LoggerMessage(8, LogLevel.Warning, "Jobs could not be handed back and wait for their leases to run out: {Reason}")]
    public static partial void NotReleased(ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Warning, "No jobs are taken, and no news from other orchestrators are heard, for now: {Reason}")]
    public static partial void NotListening(ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Error, "Row {Row} of the jobs cannot be read and is set aside: {Fault}")]
    public static partial void SetAside(ILogger logger, long row, string fault);

    [LoggerMessage(12, LogLevel.Warning, "Job {JobId} failed, for its end could not be stored: {Reason}")]
    public static partial void NotKept(ILogger logger, Guid jobId, string reason);

    [LoggerMessage(13, LogLevel.Warning, "The sums of the bytes kept were impossible and are counted anew")]
    public static partial void Recounted(ILogger logger);

    [LoggerMessage(14, LogLevel.Warning, "An index of the jobs says otherwise than their rows: all are made anew")]
    public static partial void Reindexed(ILogger logger);

    [LoggerMessage(9, LogLevel.Critical, "Running jobs has failed")]
    public static partial void RunnerFailed(ILogger logger, Exception exception);
}
