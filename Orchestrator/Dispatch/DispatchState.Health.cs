using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <content>What workers are asked beside dispatches.</content>
internal sealed partial class DispatchState
{
    /// <summary>
    /// A probe has come back: <paramref name="failure"/> says what was wrong, <c>null</c> that all is well, and
    /// <paramref name="model"/> which model it serves, where that was asked.
    /// </summary>
    public void Probed(WorkerNode worker, Uri address, string? failure, ModelInfo? model = null)
    {
        using var trace = DispatchTracing.Within(null);
        Workers.Probed(worker, address, failure, model);
        // A model that comes to be the fleet's can put off others than this worker.
        NextDue = Math.Min(NextDue, Workers.NextProbeAt);
        if (!worker.Quarantined && !worker.AskingPresence) NextDue = Math.Min(NextDue, worker.NextPresenceAt);
        Pump();
    }

    /// <summary>A worker has said who shares it and how it is, or <c>null</c> if nothing that can be read.</summary>
    public void Heard(WorkerNode worker, Uri address, PresenceReport? report)
    {
        using var trace = DispatchTracing.Within(null);
        Workers.Heard(worker, address, report);
        NextDue = Math.Min(NextDue, worker.NextPresenceAt);
        if (worker.HeldUntil != 0) NextDue = Math.Min(NextDue, worker.HeldUntil);
        Pump();
    }
}
