namespace Lab.ServiceDefaults.Tests.Telemetry;

/// <summary>Tests one after the other: a service that records spans makes those of the others' requests too, for listeners are the process's.</summary>
[CollectionDefinition(nameof(ActivityListeners))]
public sealed class ActivityListeners;
