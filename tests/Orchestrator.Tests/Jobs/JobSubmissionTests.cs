using System.Globalization;
using System.Text.Json;
using Lab.Orchestrator.Tests.Api;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobSubmissionTests : JobSubmissionTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobSubmissionTests(SharedPostgres postgres) : JobSubmissionTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>Submitting jobs as a client does, over both stores.</summary>
public abstract class JobSubmissionTests : JobApiTestBase
{
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
        await using (await Home.BlockWritesAsync())
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
        await lab.Client.UntilAsync(slow.Headers.Location!.ToString(), "running");
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
    public async Task Submit_KeptJobsFillTheBudget_Is507()
    {
        await using var lab = await StartAsync("--Jobs:MaxBytes=65536");
        for (var i = 0; i < 2; i++) await lab.Client.UntilAsync(await lab.Client.AcceptedAsync(new string('a', 25_000)), "succeeded");
        using var refused = await lab.Client.SubmitAsync(new string('a', 25_000));
        await ReadProblemAsync(refused, 507);
        Assert.Equal(300, int.Parse(refused.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture));
        // Who waits for an answer keeps nothing here.
        using var waiting = await lab.PostAsync("a");
        Assert.Equal(200, (int)waiting.StatusCode);
    }

    [Fact]
    public async Task Submit_BeyondTheShareOfAKey_Is429()
    {
        const string Key = "key-of-alice-0123456789";
        string[] keys = ["--Access:Keys:alice=" + Key, "--Access:Keys:bob=key-of-bob-0123456789", "--Jobs:Capacity=4"];
        await using var lab = await RunningOrchestrator.StartAsync(workers: 1, Key, [.. Home.Settings, .. keys]);
        Block(lab);
        for (var i = 0; i < 2; i++) await lab.Client.AcceptedAsync("a");
        using var refused = await lab.Client.SubmitAsync("one too many");
        Assert.Contains("half", await ReadProblemAsync(refused, 429), StringComparison.Ordinal);
        lab.Client.DefaultRequestHeaders.Authorization = new("Bearer", "key-of-bob-0123456789");
        await lab.Client.AcceptedAsync("a");
    }

    [Fact]
    public async Task Submit_TraceStateWithoutBound_IsKeptNowhere()
    {
        await using var lab = await StartAsync();
        foreach (var length in (int[])[512, 513])
            await lab.Client.AcceptedAsync("a", ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "a=" + new string('b', length - 2)));
        var states = await Home.Shell.QueryAsync($"SELECT length(trace_state) FROM {Home.Shell.Jobs} ORDER BY seq");
        Assert.Equal(["512", null], states.Select(row => row[0]?.ToString()));
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
}
