using Microsoft.Extensions.Logging;

namespace Lab.Orchestrator.Workers;

internal static partial class WorkersLog
{
    [LoggerMessage(7, LogLevel.Error, "The list of workers is kept as it was: {Reason}")]
    public static partial void ListUnreadable(ILogger logger, string reason);

    [LoggerMessage(8, LogLevel.Warning, "No worker is configured. Name some by Workers__worker_1=http://host:port or by Orchestrator__WorkersFile")]
    public static partial void NoneConfigured(ILogger logger);
}
