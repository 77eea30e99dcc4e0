using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobApiTests : JobApiTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobApiTests(SharedPostgres postgres) : JobApiTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>Jobs once they are accepted, as a client sees them, over both stores.</summary>
public abstract class JobApiTests : JobApiTestBase
{
    [Fact]
    public async Task Job_OfAnotherKey_IsNotFound()
    {
        string[] keys = ["--Access:Keys:alice=key-of-alice-0123456789", "--Access:Keys:bob=key-of-bob-0123456789"];
        await using var lab = await RunningOrchestrator.StartAsync(workers: 1, key: "key-of-alice-0123456789", [.. Home.Settings, .. keys]);
        var key = ("Idempotency-Key", "k");
        var job = await lab.Client.AcceptedAsync("a", key);
        await lab.Client.UntilAsync(job, "succeeded");

        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", "key-of-bob-0123456789");
        Assert.Equal(404, await lab.Client.StatusOfAsync(HttpMethod.Get, job));
        Assert.Equal(404, await lab.Client.StatusOfAsync(HttpMethod.Delete, job));
        Assert.NotEqual(job, await lab.Client.AcceptedAsync("another text", key));
    }

    [Fact]
    public async Task Delete_InEachState_CancelsWhatHasNotEnded()
    {
        await using var lab = await StartAsync("--Jobs:Window=2", "--Orchestrator:MaxBatch=1");
        var finished = await lab.Client.AcceptedAsync("finished");
        await lab.Client.UntilAsync(finished, "succeeded");
        Block(lab);
        var running = await lab.Client.AcceptedAsync("running");
        await lab.Client.UntilAsync(running, "running");
        var dispatched = await lab.Client.AcceptedAsync("in the dispatcher's queue");
        var queued = await lab.Client.AcceptedAsync("queued");
        var last = await lab.Client.AcceptedAsync("last");
        foreach (var job in new[] { dispatched, queued }) await lab.Client.UntilAsync(job, "queued");

        Assert.Equal(409, await lab.Client.StatusOfAsync(HttpMethod.Delete, finished));
        foreach (var job in new[] { queued, dispatched, running })
        {
            Assert.Equal(204, await lab.Client.StatusOfAsync(HttpMethod.Delete, job));
            Assert.Equal(409, await lab.Client.StatusOfAsync(HttpMethod.Delete, job));
        }

        Release.SetResult();
        await lab.Client.UntilAsync(last, "succeeded");
        foreach (var job in new[] { queued, dispatched, running })
        {
            var canceled = await lab.Client.GetJobAsync(job);
            Assert.Equal(("canceled", true, true), (canceled.Status, canceled.Result is null, canceled.FinishedAt is not null));
        }

        Assert.Equal(["finished", "running", "last"], lab.Workers[0].Texts);
    }

    [Fact]
    public async Task Get_UnknownIdentities_AreToldFromExpiredOnes()
    {
        await using var lab = await StartAsync("--Jobs:Retention=01:00:00");
        string[] unknown =
        [
            Guid.CreateVersion7().ToString(), Guid.NewGuid().ToString(), "nonsense", Guid.CreateVersion7().ToString("N"),
            Guid.CreateVersion7(DateTimeOffset.UtcNow.AddHours(2)).ToString(), "ffffffff-ffff-7fff-bfff-ffffffffffff",
        ];
        var expired = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddHours(-2)).ToString();
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
        {
            foreach (var id in unknown) Assert.Equal(404, await lab.Client.StatusOfAsync(method, $"/requests/{id}"));
            Assert.Equal(410, await lab.Client.StatusOfAsync(method, $"/requests/{expired}"));
        }
    }

    [Fact]
    public async Task Get_RetentionOver_Is410()
    {
        await using var lab = await StartAsync("--Jobs:Retention=00:00:01");
        var job = await lab.Client.AcceptedAsync("a");
        await Eventually.TrueAsync(async () => await lab.Client.StatusOfAsync(HttpMethod.Get, job) == 410, "the job is gone");
        await lab.UntilLoggedAsync("past their retention");
    }

    [Fact]
    public async Task Job_ThatCannotSucceed_TellsWhy()
    {
        await using var lab = await StartAsync("--Orchestrator:MaxAttempts=1");
        lab.Workers[0].Handle = (text, _) => Task.FromResult<IResult>(text == "strange"
            ? TypedResults.Problem("too strange", statusCode: 422) : TypedResults.StatusCode(500));
        var rejected = await lab.Client.UntilAsync(await lab.Client.AcceptedAsync("strange"), "failed");
        Assert.Equal((422, "too strange"), (rejected.Error!.Status, rejected.Error.Detail));
        var failed = await lab.Client.UntilAsync(await lab.Client.AcceptedAsync("a"), "failed");
        Assert.Equal((502, true), (failed.Error!.Status, failed.Result is null));
    }

    [Fact]
    public async Task Jobs_NoWorkerAlive_WaitForOne()
    {
        await using var lab = await StartAsync("--Orchestrator:ProbeInterval=00:00:00.05");
        lab.Workers[0].Healthy = false;
        await lab.UntilAsync(table => table["worker-1"].Status == "quarantined");
        var job = await lab.Client.AcceptedAsync("patient");
        // For the moment in which it is handed to the dispatcher it may show as running.
        await lab.Client.UntilAsync(job, "queued");
        lab.Workers[0].Healthy = true;
        await lab.Client.UntilAsync(job, "succeeded");
    }

    [Fact]
    public async Task Jobs_AndWaitingClients_ShareOneQueueInOrderOfArrival()
    {
        await using var lab = await StartAsync("--Jobs:Window=4", "--Orchestrator:MaxBatch=1", "--Orchestrator:QueueCapacity=4");
        Block(lab);
        var jobs = new List<string>();
        for (var i = 0; i < 20; i++) jobs.Add(await lab.Client.AcceptedAsync($"{i}"));
        await lab.Client.UntilAsync(jobs[0], "running");
        var dispatcher = lab.Services.GetRequiredService<Dispatcher>();
        await Eventually.TrueAsync(async () => (await dispatcher.TakeSnapshotAsync(seen: 0, Cancellation)).Queued >= 1, "a job waits with the dispatcher");

        // Jobs take half of the queue at most, be their window as wide as it is: one computes and one waits with the
        // dispatcher. Of four clients three find room, and the fourth one's refusal says so.
        List<Task<HttpResponseMessage>> posts = [.. Enumerable.Range(0, 4).Select(_ => lab.PostAsync("client"))];
        var refused = await Task.WhenAny(posts);
        using var refusal = await refused;
        await ReadProblemAsync(refusal, 429);
        posts.Remove(refused);
        Release.SetResult();
        foreach (var post in posts)
        {
            using var answered = await post;
            Assert.Equal(200, (int)answered.StatusCode);
        }

        foreach (var job in jobs) await lab.Client.UntilAsync(job, "succeeded");
        Assert.Equal(
            ["0", "1", "client", "client", "client", .. Enumerable.Range(2, 18).Select(i => $"{i}")],
            lab.Workers[0].Texts);
    }

    [Fact]
    public async Task Job_Trace_GoesOnToTheWorker()
    {
        await using var lab = await StartAsync();
        var job = await lab.Client.AcceptedAsync("a", ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        await lab.Client.UntilAsync(job, "succeeded");
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", Assert.Single(lab.Workers[0].TraceParents), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_HandsUnfinishedJobsToTheNext()
    {
        await using var first = await StartAsync("--Jobs:Lease=01:00:00");
        Block(first);
        var jobs = new List<string>();
        for (var i = 0; i < 3; i++) jobs.Add(await first.Client.AcceptedAsync($"{i}"));
        await first.Client.UntilAsync(jobs[0], "running");
        await first.StopAsync();
        await using var second = await StartAsync();
        foreach (var job in jobs) await second.Client.UntilAsync(job, "succeeded");
    }

    [Fact]
    public async Task TwoOrchestrators_OneStore_FinishEachJobOnce()
    {
        await using var first = await StartAsync("--Jobs:Window=4");
        await using var second = await StartAsync("--Jobs:Window=4");
        var jobs = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => (i % 2 == 0 ? first : second).Client.AcceptedAsync($"{i}")));
        foreach (var job in jobs) Assert.Equal("succeeded", (await first.Client.UntilAsync(job, "succeeded")).Status);
        var texts = first.Workers[0].Texts.Concat(second.Workers[0].Texts).ToList();
        Assert.Equal(400, texts.Count);
        Assert.Equal(400, texts.Distinct().Count());
        Assert.NotEmpty(first.Workers[0].Texts);
        Assert.NotEmpty(second.Workers[0].Texts);
    }
}
