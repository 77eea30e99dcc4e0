using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Dispatch;

/// <content>What is asked of workers, and comes back as messages.</content>
internal sealed partial class Dispatcher
{
#pragma warning disable CA1031 // Whatever is thrown, an end that is not told would leave the worker occupied and its clients waiting.
    private async Task RunAsync(DispatchCall call)
    {
        WorkerReply reply;
        try
        {
            reply = await _client.SendAsync(call);
        }
        catch (Exception e)
        {
            DispatchLog.CallFailed(_logger, call.Worker.Name, e);
            // Want of memory here says nothing of the worker, and passes.
            reply = e is OutOfMemoryException ? new WorkerReply.Busy() : new WorkerReply.Failed($"it could not be asked: {e.Message}");
        }

        _mailbox.Post(new(MessageKind.Reply, call, reply));
    }

    private async Task ProbeAsync(WorkerNode worker, Uri address, bool readModel)
    {
        string? failure;
        ModelInfo? model = null;
        try
        {
            (failure, model) = await _client.ProbeAsync(address, readModel, CancellationToken.None);
        }
        catch (Exception e)
        {
            DispatchLog.CallFailed(_logger, worker.Name, e);
            failure = $"it could not be probed: {e.Message}";
        }

        // What was asked before the worker failed says nothing of it now.
        Do(state => state.Probed(worker, address, failure ?? (worker.Quarantined && !readModel ? "it has failed meanwhile" : null), model));
    }

    private async Task AskPresenceAsync(WorkerNode worker, Uri address)
    {
        PresenceReport? report = null;
        try
        {
            report = await _client.AskPresenceAsync(address, _state.Id, CancellationToken.None);
        }
        catch (Exception e)
        {
            DispatchLog.CallFailed(_logger, worker.Name, e);
        }

        Do(state => state.Heard(worker, address, report));
    }

#pragma warning restore CA1031
}
