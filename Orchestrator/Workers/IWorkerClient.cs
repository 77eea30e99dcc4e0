using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Workers;

/// <summary>Speaks to workers. No member throws: whatever goes wrong is part of the result.</summary>
internal interface IWorkerClient
{
    /// <summary>Makes the call. It ends when the worker has replied or <see cref="DispatchCall.Aborted"/> is cancelled.</summary>
    Task<WorkerReply> SendAsync(DispatchCall call);

    /// <summary>Asks the worker at an address whether it is ready.</summary>
    /// <returns>What was wrong, or <c>null</c> when it is ready.</returns>
    Task<string?> ProbeAsync(Uri address, CancellationToken cancellation);
}
