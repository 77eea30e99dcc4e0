using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Tests.Api;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>A place for stores, for one test, and a clock of its own.</summary>
public abstract class JobStoreTestBase : IAsyncLifetime
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected JobsOptions Options { get; } = new();

    private protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>The stores to close at the end.</summary>
    private protected List<IJobStore> Opened { get; } = [];

    private protected IStoreHome Home { get; private set; } = null!;

    private protected abstract Task<IStoreHome> CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => Home = await CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var store in Opened) await store.DisposeAsync();
        if (Home is not null) await Home.DisposeAsync();
    }

    /// <summary>What the stores have logged.</summary>
    private protected RememberedLog Log { get; } = new();

    private protected async Task<IJobStore> OpenAsync(Func<string, bool>? hasOtherKey = null)
    {
        var store = Home.Create(Options, Time, Log, hasOtherKey);
        await store.OpenAsync(Cancellation);
        Opened.Add(store);
        return store;
    }

    private protected static Task<Job?> FindAsync(IJobStore store, NewJob job) => store.FindAsync(job.Owner, job.Id, Cancellation);

    private protected static JobEnd Succeeded(NewJob job) =>
        new(JobStatus.Succeeded, new(job.Id.ToString(), "worker-1", 1, 1, 0.5, 1.5, job.Text, false, "POSITIVE", [0.25f, 0.75f]));

    private protected NewJob New(string text = "a") => new(Guid.CreateVersion7(Time.GetUtcNow()), "", text, false, null, Time.GetUtcNow());

    private protected async Task<NewJob> SubmitAsync(IJobStore store, string text = "a")
    {
        var job = New(text);
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(job, Cancellation)).Kind);
        return job;
    }
}
