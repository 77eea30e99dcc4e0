using Lab.Orchestrator.Dispatch;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lab.Orchestrator.Api;

/// <summary>The orchestrator is ready as soon as one worker is.</summary>
internal sealed class WorkersHealthCheck(Dispatcher dispatcher) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var (alive, all) = await dispatcher.CountWorkersAsync(cancellationToken);
        var description = $"{alive} of {all} ready";
        return alive > 0 ? HealthCheckResult.Healthy(description) : HealthCheckResult.Unhealthy(description);
    }
}
