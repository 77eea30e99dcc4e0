using System.Collections.Concurrent;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Tests.Api;
using Lab.Testing;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobCrashTests : JobCrashTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobCrashTests(SharedPostgres postgres) : JobCrashTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>Jobs outlive the orchestrator's process, over both stores.</summary>
public abstract class JobCrashTests : IAsyncLifetime
{
    private const int Jobs = 1200;
    private const int DoneBeforeTheCrash = 100;

    private readonly List<StubWorker> _workers = [];
    private IStoreHome _home = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract Task<IStoreHome> CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _home = await CreateHomeAsync();
        for (var i = 0; i < 4; i++) _workers.Add(await StubWorker.StartAsync());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var worker in _workers) await worker.DisposeAsync();
        if (_home is not null) await _home.DisposeAsync();
    }

    [Fact]
    public async Task Kill_WithOpenJobs_TheNextFinishesEachOnceWithItsOwnResult()
    {
        var budget = DoneBeforeTheCrash;
        var crashed = new CancellationTokenSource();
        foreach (var worker in _workers)
        {
            worker.Handle = async (text, context) =>
            {
                if (Interlocked.Decrement(ref budget) >= 0) return StubWorker.Answer(text);
                await Task.Delay(Timeout.Infinite, CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, crashed.Token).Token);
                return StubWorker.Answer(text);
            };
        }

        // Nobody is to get these jobs by waiting: the leases outlast the test.
        string[] settings = [.. Settings(), "--Orchestrator:MaxBatch=1", "--Jobs:Lease=01:00:00"];
        var texts = new ConcurrentDictionary<string, string>();
        ConcurrentDictionary<string, JobDocument> before;
        await using (var first = await ServiceProcess.StartAsync("Orchestrator.dll", settings))
        {
            await Parallel.ForAsync(0, Jobs, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Cancellation }, async (i, _) =>
                texts[await first.Client.AcceptedAsync($"text {i}")] = $"text {i}");
            before = await DoneAsync(first.Client, texts.Keys, DoneBeforeTheCrash);
            Assert.Equal(DoneBeforeTheCrash, before.Count);
            await first.KillAsync();
        }

        await crashed.CancelAsync();
        foreach (var worker in _workers) worker.Handle = (text, _) => Task.FromResult(StubWorker.Answer(text));
        await using var second = await ServiceProcess.StartAsync("Orchestrator.dll", [.. Settings(), "--Jobs:Lease=01:00:00"]);
        var after = await DoneAsync(second.Client, texts.Keys, Jobs);
        foreach (var (location, text) in texts)
        {
            var job = after[location];
            Assert.Equal(("succeeded", text, $"/requests/{job.RequestId}"), (job.Status, job.Result!.InputText, location));
        }

        // What has been read once is never read differently.
        foreach (var (location, job) in before)
            Assert.Equal((job.FinishedAt, job.Result!.Worker), (after[location].FinishedAt, after[location].Result!.Worker));
    }

    [Fact]
    public async Task Upgrade_OldAndNewOverlap_EachJobIsComputedAndFinishedOnce()
    {
        var locations = new ConcurrentBag<string>();
        await using var old = await ServiceProcess.StartAsync("Orchestrator.dll", Settings());
        await using var next = await ServiceProcess.StartAsync("Orchestrator.dll", Settings());
        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancellation }, async (i, _) =>
            locations.Add(await (i % 2 == 0 ? old : next).Client.AcceptedAsync($"text {i}")));
        await DoneAsync(next.Client, locations, 300);
        var texts = _workers.SelectMany(worker => worker.Texts).ToList();
        Assert.Equal(300, texts.Distinct().Count());
        Assert.Equal(300, texts.Count);
    }

    /// <summary>Waits until so many of the jobs have finished.</summary>
    private static async Task<ConcurrentDictionary<string, JobDocument>> DoneAsync(HttpClient client, IEnumerable<string> locations, int count)
    {
        var done = new ConcurrentDictionary<string, JobDocument>();
        await Eventually.TrueAsync(async () =>
        {
            var open = locations.Where(location => !done.ContainsKey(location));
            await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancellation }, async (location, _) =>
            {
                var job = await client.GetJobAsync(location);
                if (job.FinishedAt is not null) done[location] = job;
            });
            return done.Count >= count;
        }, $"{count} jobs have finished", () => $"{done.Count} have");
        return done;
    }

    private IEnumerable<string> Settings() =>
        [.. _home.Settings, "--Logging:LogLevel:Lab.Orchestrator=Error", "--Orchestrator:DispatchTimeout=00:05:00",
            .. _workers.Select((worker, i) => $"--Workers:worker-{i + 1}={worker.Address}")];
}
