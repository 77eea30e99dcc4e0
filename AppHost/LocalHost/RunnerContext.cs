namespace Lab.AppHost.LocalHost;

/// <summary>What all runners of a cluster share.</summary>
/// <param name="IsDevelopment">Whether the services are to run as in development.</param>
/// <param name="Output">Takes what is said.</param>
/// <param name="Watchdog">Is told of every process.</param>
/// <param name="Timing">How long to wait for what.</param>
/// <param name="Time">The clock.</param>
/// <param name="Telemetry">OpenTelemetry's variables for the services.</param>
internal sealed record RunnerContext(
    bool IsDevelopment, Output Output, WatchdogLine Watchdog, Timing Timing, TimeProvider Time, IReadOnlyDictionary<string, string> Telemetry);
