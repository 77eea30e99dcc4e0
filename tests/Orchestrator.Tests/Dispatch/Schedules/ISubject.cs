using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch.Schedules;

/// <summary>What a schedule does to a dispatcher, so that ours and a broken one can be put through the same.</summary>
internal interface ISubject
{
    long NextDue { get; }

    void Submit(IReadOnlyList<QueueEntry> entries);

    void HangUp(QueueEntry entry);

    void Reply(DispatchCall call, WorkerReply reply);

    void Probed(WorkerNode worker, string? failure);

    void SetWorkers(IReadOnlyDictionary<string, Uri> addresses);

    void SetDraining(string name, bool draining);

    void Tick();

    void Stop();
}

/// <summary>The dispatcher that ships.</summary>
internal sealed class ShippedSubject(DispatchState state) : ISubject
{
    public long NextDue => state.NextDue;

    public void Submit(IReadOnlyList<QueueEntry> entries)
    {
        if (entries.Count == 1) state.Submit(entries[0]);
        else state.Submit(entries);
    }

    public void HangUp(QueueEntry entry) => state.HangUp(entry);

    public void Reply(DispatchCall call, WorkerReply reply) => state.Reply(call, reply);

    public void Probed(WorkerNode worker, string? failure) => state.Probed(worker, worker.Address, failure);

    public void SetWorkers(IReadOnlyDictionary<string, Uri> addresses) => state.SetWorkers(addresses);

    public void SetDraining(string name, bool draining) => state.SetDraining(name, draining);

    public void Tick() => state.Tick();

    public void Stop() => state.Stop();
}
