using Lab.ServiceDefaults.Contracts;
using Lab.Worker.Inference;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Lab.Worker.Api;

/// <summary>How the time before the model is warm looks from outside.</summary>
internal static class NotReady
{
    /// <summary>503 for whoever wants the model now.</summary>
    public static Refusal Refusal => Refusal.ModelUnknown;

    /// <summary>The part of <c>/health</c> that is the model's.</summary>
    internal sealed class Check(ModelHost host) : IHealthCheck
    {
        /// <inheritdoc/>
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(!host.IsWarm
                ? HealthCheckResult.Unhealthy("loading")
                : HealthCheckResult.Healthy("ready"));
    }
}
