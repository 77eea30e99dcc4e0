using Lab.Tests.Protocols;

namespace Lab.Worker.Tests.Api;

/// <summary>Waiting for a worker in a process of its own.</summary>
internal static class WorkerReadiness
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the worker's model is loaded and warm.</summary>
    public static async Task ReadyAsync(this ServiceProcess worker, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Timeout);
        while (true)
        {
            using var response = await worker.Client.GetAsync("/health", deadline.Token);
            if (response.IsSuccessStatusCode) return;
            await Task.Delay(PollInterval, deadline.Token);
        }
    }
}
