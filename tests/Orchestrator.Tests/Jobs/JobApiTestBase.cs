using Lab.Orchestrator.Tests.Api;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>An orchestrator before one worker, with a store for one test.</summary>
public abstract class JobApiTestBase : IAsyncLifetime
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected IStoreHome Home { get; private set; } = null!;

    /// <summary>Lets a blocked worker answer.</summary>
    private protected TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private protected abstract Task<IStoreHome> CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => Home = await CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Release.TrySetResult();
        if (Home is not null) await Home.DisposeAsync();
    }

    private protected Task<RunningOrchestrator> StartAsync(params string[] settings) =>
        RunningOrchestrator.StartAsync(workers: 1, [.. Home.Settings, .. settings]);

    /// <summary>From now on the worker answers only when the test lets it.</summary>
    private protected void Block(RunningOrchestrator lab)
    {
        lab.Workers[0].Handle = async (text, context) =>
        {
            await Release.Task.WaitAsync(context.RequestAborted);
            return StubWorker.Answer(text);
        };
        var whole = lab.Workers[0].HandleBatch;
        lab.Workers[0].HandleBatch = async texts =>
        {
            await Release.Task;
            return await whole(texts);
        };
    }
}
