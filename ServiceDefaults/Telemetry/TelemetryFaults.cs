using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Telemetry;

/// <summary>Tells at the start which of OpenTelemetry's variables cannot be used, and what happens instead.</summary>
internal sealed partial class TelemetryFaults(TelemetrySettings settings, ILogger<TelemetryFaults> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var fault in settings.Faults) LogFault(logger, fault);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Warning, "{Fault}")]
    private static partial void LogFault(ILogger logger, string fault);
}
