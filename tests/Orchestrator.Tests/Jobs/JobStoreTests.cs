using Lab.Orchestrator.Jobs;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobStoreTests : JobStoreTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobStoreTests(SharedPostgres postgres) : JobStoreTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>What becomes of jobs in every store, by a clock of the test's own.</summary>
public abstract class JobStoreTests : JobStoreTestBase
{
    [Theory]
    [InlineData("plain")]
    [InlineData("naïve 文 🙂 \"quoted\" 'too' \\ \n")]
    [InlineData("a\0b")]
    public async Task Job_FromSubmissionToResult_IsReadBackAsWritten(string text)
    {
        var store = await OpenAsync();
        var job = New(text) with { TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", TraceState = "a=1" };
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(job, Cancellation)).Kind);
        Assert.Equal(new Job(job.Id, JobStatus.Queued, null, null, job.SubmittedAt, null), await FindAsync(store, job));

        var leased = Assert.Single(await store.LeaseAsync(10, Cancellation));
        Assert.Equal(new LeasedJob(job.Id, text, job.SubmittedAt, job.TraceParent, job.TraceState), leased);
        Assert.Equal(JobStatus.Running, (await FindAsync(store, job))!.Status);

        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(await store.FinishAsync(job.Id, Succeeded(job), Cancellation));
        var done = (await FindAsync(store, job))!;
        Assert.Equal((JobStatus.Succeeded, job.SubmittedAt.AddSeconds(2)), (done.Status, done.FinishedAt));
        Assert.Equal((text, "POSITIVE", job.Id.ToString()), (done.Result!.InputText, done.Result.Label, done.Result.RequestId));
        Assert.Equal([0.25f, 0.75f], done.Result.Probabilities);
    }

    [Fact]
    public async Task Finish_WithAnError_KeepsIt()
    {
        var store = await OpenAsync();
        var job = await SubmitAsync(store);
        await store.LeaseAsync(1, Cancellation);
        var error = new Refusal(502, "Failed on every worker tried", "3 attempts failed.");
        Assert.True(await store.FinishAsync(job.Id, new(JobStatus.Failed, Error: error), Cancellation));
        var done = (await FindAsync(store, job))!;
        Assert.Equal((JobStatus.Failed, error, (RequestAnswer?)null), (done.Status, done.Error, done.Result));
    }

    [Fact]
    public async Task Submit_SameKey_FindsTheJobOrRefuses()
    {
        var store = await OpenAsync();
        var first = New("a") with { IdempotencyKey = "k" };
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(first, Cancellation)).Kind);
        var again = await store.SubmitAsync(New("a") with { IdempotencyKey = "k" }, Cancellation);
        Assert.Equal((SubmissionKind.Repeated, first.Id), (again.Kind, again.Job!.Id));
        Assert.Equal(SubmissionKind.KeyReused, (await store.SubmitAsync(New("b") with { IdempotencyKey = "k" }, Cancellation)).Kind);
        Assert.Equal(SubmissionKind.KeyReused, (await store.SubmitAsync(New("a") with { IdempotencyKey = "k", IsGenerated = true }, Cancellation)).Kind);
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(New("b") with { IdempotencyKey = "k", Owner = "other" }, Cancellation)).Kind);

        var drawn = New("x") with { IdempotencyKey = "drawn", IsGenerated = true };
        await store.SubmitAsync(drawn, Cancellation);
        var redrawn = await store.SubmitAsync(New("y") with { IdempotencyKey = "drawn", IsGenerated = true }, Cancellation);
        Assert.Equal(drawn.Id, redrawn.Job!.Id);
    }

    [Fact]
    public async Task Submit_SameKeyConcurrently_MakesOneJob()
    {
        var stores = new[] { await OpenAsync(), await OpenAsync() };
        var submissions = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() =>
            stores[i % 2].SubmitAsync(New("a") with { IdempotencyKey = $"k{i % 5}" }, Cancellation))));
        Assert.Equal(5, submissions.Count(submission => submission.Kind is SubmissionKind.Created));
        Assert.Equal(95, submissions.Count(submission => submission.Kind is SubmissionKind.Repeated));
        Assert.Equal(5, submissions.Select(submission => submission.Job!.Id).Distinct().Count());
        Assert.Equal(5, (await stores[0].LeaseAsync(100, Cancellation)).Count);
    }

    [Fact]
    public async Task Owner_SeesAndCancelsOnlyItsOwn()
    {
        var store = await OpenAsync();
        var job = New("a") with { Owner = "alice" };
        await store.SubmitAsync(job, Cancellation);
        Assert.Null(await store.FindAsync("bob", job.Id, Cancellation));
        Assert.Null(await store.FindAsync("", job.Id, Cancellation));
        Assert.Equal(CancelKind.Unknown, await store.CancelAsync("bob", job.Id, Cancellation));
        Assert.NotNull(await store.FindAsync("alice", job.Id, Cancellation));
        Assert.Equal(CancelKind.Canceled, await store.CancelAsync("alice", job.Id, Cancellation));
    }

    [Fact]
    public async Task Cancel_QueuedAndRunningAndFinished_EndsWhatHasNotEnded()
    {
        var (here, there) = (await OpenAsync(), await OpenAsync());
        var (running, queued) = (await SubmitAsync(here, "running"), await SubmitAsync(here, "queued"));
        await there.LeaseAsync(1, Cancellation);
        Assert.Equal(CancelKind.Canceled, await here.CancelAsync("", queued.Id, Cancellation));
        Assert.Equal(CancelKind.Canceled, await here.CancelAsync("", running.Id, Cancellation));
        Assert.Equal(CancelKind.AlreadyFinished, await here.CancelAsync("", running.Id, Cancellation));
        Assert.Equal(CancelKind.Unknown, await here.CancelAsync("", Guid.CreateVersion7(), Cancellation));

        Assert.Empty(await there.RenewAsync([running.Id], Cancellation));
        Assert.False(await there.FinishAsync(running.Id, Succeeded(running), Cancellation));
        var canceled = (await FindAsync(here, running))!;
        Assert.Equal((JobStatus.Canceled, (RequestAnswer?)null), (canceled.Status, canceled.Result));
        Assert.Empty(await here.LeaseAsync(10, Cancellation));
    }

    [Fact]
    public async Task Retention_Over_JobIsGoneAtOnceAndItsKeyIsFree()
    {
        var store = await OpenAsync();
        var job = New("a") with { IdempotencyKey = "k" };
        await store.SubmitAsync(job, Cancellation);
        await store.LeaseAsync(1, Cancellation);
        await store.FinishAsync(job.Id, Succeeded(job), Cancellation);
        Time.Advance(Options.Retention - TimeSpan.FromSeconds(1));
        Assert.NotNull(await FindAsync(store, job));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await FindAsync(store, job));
        Assert.Equal(CancelKind.Unknown, await store.CancelAsync("", job.Id, Cancellation));
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(New("b") with { IdempotencyKey = "k" }, Cancellation)).Kind);
    }

    [Fact]
    public async Task Sweep_DeletesOldResultsAndEndsJobsNobodyCouldFinish()
    {
        var store = await OpenAsync();
        var done = await SubmitAsync(store, "done");
        await store.LeaseAsync(1, Cancellation);
        await store.FinishAsync(done.Id, Succeeded(done), Cancellation);
        var stuck = await SubmitAsync(store, "stuck");
        Time.Advance(Options.Retention + TimeSpan.FromSeconds(1));
        var fresh = await SubmitAsync(store, "fresh");
        Assert.Equal(1, await store.SweepAsync(Cancellation));
        Assert.Equal(0, await store.SweepAsync(Cancellation));
        var failed = (await FindAsync(store, stuck))!;
        Assert.Equal((JobStatus.Failed, 504), (failed.Status, failed.Error!.Status));
        Assert.Equal([fresh.Id], (await store.LeaseAsync(10, Cancellation)).Select(job => job.Id));
        Assert.Equal(1, store.Sum.Unfinished);
    }

    [Fact]
    public async Task Submit_BeyondCapacity_IsRefusedUntilAJobEnds()
    {
        Options.Capacity = 10;
        var store = await OpenAsync();
        var kinds = (await Task.WhenAll(Enumerable.Range(0, 25).Select(i => store.SubmitAsync(New($"{i}") with { IdempotencyKey = $"{i}" }, Cancellation))))
            .Select(submission => submission.Kind).ToList();
        Assert.Equal((10, 15), (kinds.Count(kind => kind is SubmissionKind.Created), kinds.Count(kind => kind is SubmissionKind.Full)));
        Assert.Equal(10, store.Sum.Unfinished);

        // Who has a job already is told so, even now.
        Assert.Equal(SubmissionKind.Repeated, (await store.SubmitAsync(New("0") with { IdempotencyKey = "0" }, Cancellation)).Kind);
        var leased = Assert.Single(await store.LeaseAsync(1, Cancellation));
        Assert.Equal(SubmissionKind.Full, (await store.SubmitAsync(New("x"), Cancellation)).Kind);
        await store.FinishAsync(leased.Id, new(JobStatus.Failed), Cancellation);
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(New("x"), Cancellation)).Kind);
        Assert.Equal(SubmissionKind.Full, (await store.SubmitAsync(New("y"), Cancellation)).Kind);
    }

    [Fact]
    public async Task Submit_ManyAtOnce_ShareCommits()
    {
        var store = await OpenAsync();
        var submissions = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => store.SubmitAsync(New($"{i}"), Cancellation)));
        Assert.All(submissions, submission => Assert.Equal(SubmissionKind.Created, submission.Kind));
        // All are handed in long before the first few commits are through.
        Assert.InRange(Home.Commits(store), 4, 200);
        Assert.Equal(1000, (await store.LeaseAsync(2000, Cancellation)).Count);
    }
}
