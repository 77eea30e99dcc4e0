using Lab.ServiceDefaults.Contracts.Description;

namespace Lab.Worker.Api;

/// <summary>What the worker's own endpoints belong to in the API's description.</summary>
internal static class WorkerTag
{
    public static ApiTag Dispatches { get; } = new("Dispatches", "How the orchestrator has texts computed.");
}
