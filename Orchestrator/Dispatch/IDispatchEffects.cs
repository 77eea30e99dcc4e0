namespace Lab.Orchestrator.Dispatch;

/// <summary>What the dispatcher's decisions do to the world outside its loop.</summary>
internal interface IDispatchEffects
{
    /// <summary>Makes the call and brings the reply back to <see cref="DispatchState.Reply"/>.</summary>
    void Send(DispatchCall call);

    /// <summary>Tells whoever waits for the entry that it has ended.</summary>
    void Ended(QueueEntry entry);

    /// <summary>Asks the worker how it is and brings the result back to <see cref="DispatchState.Probed"/>.</summary>
    void Probe(WorkerNode worker);

    /// <summary>Asks the worker who shares it and brings the answer back to <see cref="DispatchState.Heard"/>.</summary>
    void AskPresence(WorkerNode worker);
}
