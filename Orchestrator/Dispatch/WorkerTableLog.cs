using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Dispatch;

internal static partial class WorkerTableLog
{
    [LoggerMessage(1, LogLevel.Information, "Worker {Worker} is known at {Address}")]
    public static partial void Added(ILogger logger, string worker, Uri address);

    [LoggerMessage(2, LogLevel.Information, "Worker {Worker} has moved to {Address}")]
    public static partial void Moved(ILogger logger, string worker, Uri address);

    [LoggerMessage(3, LogLevel.Information, "Worker {Worker} is no longer listed: it drains and is then forgotten")]
    public static partial void Removed(ILogger logger, string worker);

    [LoggerMessage(4, LogLevel.Information, "Worker {Worker} is healthy and gets work")]
    public static partial void Healthy(ILogger logger, string worker);

    [LoggerMessage(5, LogLevel.Warning, "Worker {Worker} is quarantined and probed again in {BackoffMs:F0} ms: {Reason}")]
    public static partial void Quarantined(ILogger logger, string worker, double backoffMs, string reason);

    [LoggerMessage(6, LogLevel.Debug, "Worker {Worker} stays quarantined: {Reason}")]
    public static partial void StillQuarantined(ILogger logger, string worker, string reason);

    [LoggerMessage(10, LogLevel.Information, "The workers serve the model {Model}, sha {Sha}")]
    public static partial void FleetModel(ILogger logger, string model, string sha);

    [LoggerMessage(9, LogLevel.Information, "Worker {Worker} is to drain: {Draining}")]
    public static partial void Draining(ILogger logger, string worker, bool draining);

    [LoggerMessage(11, LogLevel.Information, "Worker {Worker} will be gone and gets no more work: {Reason}")]
    public static partial void Leaves(ILogger logger, string worker, string reason);

    [LoggerMessage(12, LogLevel.Information, "Worker {Worker} no longer says that it will be gone")]
    public static partial void Stays(ILogger logger, string worker);

    [LoggerMessage(13, LogLevel.Information, "Orchestrators that share the workers: {Orchestrators}; of {Workers} workers {Owned} are this one's own, and {Common} all of theirs")]
    public static partial void Shared(ILogger logger, int orchestrators, int owned, int common, int workers);
}
