using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Dispatch;

internal static partial class DispatchLog
{
    [LoggerMessage(1, LogLevel.Debug, "Dispatch {Number}: request {RequestId}, arrival {Arrival}, to {Worker}, attempt {Attempt}")]
    public static partial void Dispatched(ILogger logger, long number, Guid requestId, long arrival, string worker, int attempt);

    [LoggerMessage(2, LogLevel.Debug, "Dispatch {Number}: {Worker} is busy with somebody else's work")]
    public static partial void WorkerBusy(ILogger logger, long number, string worker);

    [LoggerMessage(3, LogLevel.Warning, "Request {RequestId} failed on {Worker} and returns to the head of the queue: {Reason}")]
    public static partial void Returned(ILogger logger, Guid requestId, string worker, string reason);

    [LoggerMessage(4, LogLevel.Error, "Request {RequestId} is given up after {Attempts} attempts, the last on {Worker}: {Reason}")]
    public static partial void GivenUp(ILogger logger, Guid requestId, int attempts, string worker, string reason);

    [LoggerMessage(6, LogLevel.Debug, "Request {RequestId} leaves: its client hung up while it was {State}")]
    public static partial void HungUp(ILogger logger, Guid requestId, EntryState state);

    [LoggerMessage(7, LogLevel.Information, "Request {RequestId} leaves: its deadline passed while it was {State}")]
    public static partial void Expired(ILogger logger, Guid requestId, EntryState state);

    [LoggerMessage(8, LogLevel.Debug, "Request {RequestId} was refused by {Worker}, and another worker is asked: {Reason}")]
    public static partial void Doubted(ILogger logger, Guid requestId, string worker, string? reason);

    [LoggerMessage(9, LogLevel.Error, "{Worker} could not be asked")]
    public static partial void CallFailed(ILogger logger, string worker, Exception exception);

    [LoggerMessage(5, LogLevel.Critical, "The dispatcher's loop has failed")]
    public static partial void LoopFailed(ILogger logger, Exception exception);
}
