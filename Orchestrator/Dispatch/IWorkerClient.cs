using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <summary>Speaks to workers. No member throws: whatever goes wrong is part of the result.</summary>
internal interface IWorkerClient
{
    /// <summary>Makes the call. It ends when the worker has replied or <see cref="DispatchCall.Aborted"/> is cancelled.</summary>
    ValueTask<WorkerReply> SendAsync(DispatchCall call);

    /// <summary>Asks the worker at an address whether it is ready.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="readModel">Whether to ask a ready worker which model it serves.</param>
    /// <param name="cancellationToken">Ends the probe.</param>
    Task<ProbeResult> ProbeAsync(Uri address, bool readModel, CancellationToken cancellationToken);

    /// <summary>Shows this orchestrator to the worker at an address, and asks it which others it knows and how it is.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="id">By what others know this orchestrator.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <returns><c>null</c> if it says nothing that can be read.</returns>
    Task<PresenceReport?> AskPresenceAsync(Uri address, string id, CancellationToken cancellationToken);
}

/// <summary>What came of a probe.</summary>
/// <param name="Failure">What was wrong, or <c>null</c> when the worker is ready.</param>
/// <param name="Model">The model it serves; <c>null</c> where it was not asked or does not tell such things.</param>
internal readonly record struct ProbeResult(string? Failure, ModelInfo? Model = null)
{
    /// <summary>What was wrong, in words that are fit for logs; <c>null</c> when the worker is ready.</summary>
    public string? Failure { get; } = Failure is null ? null : WorkerWords.Plain(Failure);
}
