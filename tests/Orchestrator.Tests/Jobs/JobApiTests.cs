using System.Globalization;
using System.Text.Json;
using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
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

/// <summary>Jobs as a client sees them, over both stores.</summary>
public abstract class JobApiTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IStoreHome _home = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected abstract Task<IStoreHome> CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _home = await CreateHomeAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _release.TrySetResult();
        if (_home is not null) await _home.DisposeAsync();
    }

    [Fact]
    public async Task Submit_RespondAsync_IsAcceptedAndLaterFetched()
    {
        await using var lab = await StartAsync();
        using var response = await lab.Client.SubmitAsync("naïve 文");
        Assert.Equal(202, (int)response.StatusCode);
        Assert.Equal("respond-async", response.Headers.GetValues("Preference-Applied").Single());
        var accepted = await JobClient.ReadJobAsync(response);
        Assert.Equal($"/requests/{accepted.RequestId}", response.Headers.Location!.ToString());
        Assert.Equal("queued", accepted.Status);
        Assert.Equal(7, Guid.Parse(accepted.RequestId).Version);

        var done = await lab.Client.UntilAsync($"/requests/{accepted.RequestId}", "succeeded");
        Assert.Equal(("naïve 文", "worker-1", accepted.RequestId), (done.Result!.InputText, done.Result.Worker, done.Result.RequestId));
        Assert.True(done.FinishedAt >= done.SubmittedAt);
        using var json = JsonDocument.Parse(await lab.Client.GetStringAsync($"/requests/{accepted.RequestId}", Cancellation));
        Assert.Equal(
            ["request_id", "status", "result", "submitted_at", "finished_at"],
            json.RootElement.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task Submit_StoreCannotWrite_IsNotAcceptedUntilItCan()
    {
        await using var lab = await StartAsync();
        Task<HttpResponseMessage> post;
        await using (await _home.BlockWritesAsync())
        {
            post = lab.Client.SubmitAsync("durable");
            // A later request that needs no store is answered in the meantime.
            using var waiting = await lab.PostAsync("at once");
            Assert.Equal(200, (int)waiting.StatusCode);
            Assert.False(post.IsCompleted);
            Assert.DoesNotContain("durable", lab.Workers[0].Texts);
        }

        using var response = await post;
        Assert.Equal(202, (int)response.StatusCode);
        await lab.Client.UntilAsync(response.Headers.Location!.ToString(), "succeeded");
    }

    [Fact]
    public async Task Submit_WithWait_AnswersInTimeOrAcceptsThen()
    {
        await using var lab = await StartAsync();
        using var quick = await lab.Client.SubmitAsync("quick", ("Prefer", "respond-async, wait=20"));
        Assert.Equal("quick", (await ReadAnswerAsync(quick)).InputText);
        Assert.Equal("wait=20", quick.Headers.GetValues("Preference-Applied").Single());

        Block(lab);
        using var slow = await lab.Client.SubmitAsync("slow", ("Prefer", "respond-async"), ("Prefer", "wait=1"));
        Assert.Equal(202, (int)slow.StatusCode);
        Assert.Equal("respond-async, wait=1", slow.Headers.GetValues("Preference-Applied").Single());
        Assert.Equal("running", (await JobClient.ReadJobAsync(slow)).Status);
    }

    [Fact]
    public async Task Post_WaitAlone_IsTheDeadline()
    {
        await using var lab = await StartAsync("--Orchestrator:MaxWait=00:00:01");
        Block(lab);
        using var response = await lab.Client.SubmitAsync("a", ("Prefer", "wait=60"));
        Assert.Equal("wait=1", response.Headers.GetValues("Preference-Applied").Single());
        Assert.Contains("1 s", await ReadProblemAsync(response, 504), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_BadBodyOrKey_IsRefused()
    {
        await using var lab = await StartAsync();
        using var empty = await lab.Client.SubmitAsync(" ");
        await ReadProblemAsync(empty, 400);
        foreach (var key in new[] { "", new string('k', 256), "k\tk" })
        {
            using var refused = await lab.Client.SubmitAsync("a", ("Idempotency-Key", key));
            await ReadProblemAsync(refused, 400);
        }
    }

    [Fact]
    public async Task Submit_SameKey_IsTheSameJob()
    {
        await using var lab = await StartAsync();
        var key = ("Idempotency-Key", "order 66 ~!");
        var first = await lab.Client.AcceptedAsync("a", key);
        await lab.Client.UntilAsync(first, "succeeded");
        Assert.Equal(first, await lab.Client.AcceptedAsync("a", key));
        using var other = await lab.Client.SubmitAsync("b", key);
        await ReadProblemAsync(other, 422);

        using var nothing = await lab.Client.SubmitAsync(null, ("Idempotency-Key", "nothing"));
        using var nothingAgain = await lab.Client.SubmitAsync(null, ("Idempotency-Key", "nothing"));
        Assert.Equal(nothing.Headers.Location, nothingAgain.Headers.Location);
        var concurrent = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => lab.Client.AcceptedAsync("c", ("Idempotency-Key", "c"))));
        Assert.Single(concurrent.Distinct());
    }

    [Fact]
    public async Task Job_OfAnotherKey_IsNotFound()
    {
        string[] keys = ["--Access:Keys:alice=key-of-alice-0123456789", "--Access:Keys:bob=key-of-bob-0123456789"];
        await using var lab = await RunningOrchestrator.StartAsync(workers: 1, key: "key-of-alice-0123456789", [.. _home.Settings, .. keys]);
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
        foreach (var job in new[] { dispatched, queued }) Assert.Equal("queued", (await lab.Client.GetJobAsync(job)).Status);

        Assert.Equal(409, await lab.Client.StatusOfAsync(HttpMethod.Delete, finished));
        foreach (var job in new[] { queued, dispatched, running })
        {
            Assert.Equal(204, await lab.Client.StatusOfAsync(HttpMethod.Delete, job));
            Assert.Equal(409, await lab.Client.StatusOfAsync(HttpMethod.Delete, job));
        }

        _release.SetResult();
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
        await UntilAsync(async () => await lab.Client.StatusOfAsync(HttpMethod.Get, job) == 410);
        await lab.UntilLoggedAsync("past their retention");
    }

    [Fact]
    public async Task Submit_BeyondCapacity_Is429()
    {
        await using var lab = await StartAsync("--Jobs:Capacity=2");
        Block(lab);
        for (var i = 0; i < 2; i++) await lab.Client.AcceptedAsync("a");
        using var refused = await lab.Client.SubmitAsync("one too many");
        await ReadProblemAsync(refused, 429);
        Assert.InRange(int.Parse(refused.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 60);
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
        Assert.Equal("queued", (await lab.Client.GetJobAsync(job)).Status);
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
        while ((await dispatcher.TakeSnapshotAsync(seen: 0, Cancellation)).Queued < 1) await Task.Delay(20, Cancellation);

        // Jobs take half of the queue at most, be their window as wide as it is: one computes and one waits with the
        // dispatcher. Of four clients three find room, and the fourth one's refusal says so.
        List<Task<HttpResponseMessage>> posts = [.. Enumerable.Range(0, 4).Select(_ => lab.PostAsync("client"))];
        var refused = await Task.WhenAny(posts);
        using var refusal = await refused;
        await ReadProblemAsync(refusal, 429);
        posts.Remove(refused);
        _release.SetResult();
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

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(10));
        while (!await condition()) await Task.Delay(20, deadline.Token);
    }

    private Task<RunningOrchestrator> StartAsync(params string[] settings) =>
        RunningOrchestrator.StartAsync(workers: 1, [.. _home.Settings, .. settings]);

    /// <summary>From now on the worker answers only when the test lets it.</summary>
    private void Block(RunningOrchestrator lab)
    {
        lab.Workers[0].Handle = async (text, context) =>
        {
            await _release.Task.WaitAsync(context.RequestAborted);
            return StubWorker.Answer(text);
        };
        var whole = lab.Workers[0].HandleBatch;
        lab.Workers[0].HandleBatch = async texts =>
        {
            await _release.Task;
            return await whole(texts);
        };
    }
}
