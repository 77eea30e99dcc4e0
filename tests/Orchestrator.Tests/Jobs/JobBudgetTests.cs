using Lab.Orchestrator.Jobs;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobBudgetTests : JobBudgetTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobBudgetTests(SharedPostgres postgres) : JobBudgetTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>How many bytes of jobs are kept, and whose, over both stores.</summary>
public abstract class JobBudgetTests : JobStoreTestBase
{
    private const int TextBytes = 10_000 - NewJob.RowBytes;

    private static readonly string Text = new('a', TextBytes);

    [Fact]
    public async Task Finished_FillTheBudget_UntilTheirRetentionIsOver()
    {
        Options.MaxBytes = 100_000;
        var store = await OpenAsync();
        // Ten fit by their texts, and what has become of nine leaves no room for another.
        for (var i = 0; i < 9; i++) await FinishOneAsync(store);
        Assert.Equal(SubmissionKind.StoreFull, await KindAsync(store));
        Assert.Equal(0, store.Sum.Unfinished);
        // A restart, or another orchestrator, comes to the same.
        var other = await OpenAsync();
        Assert.Equal(SubmissionKind.StoreFull, await KindAsync(other));
        Assert.Equal(store.Sum, other.Sum);

        Time.Advance(Options.Retention - TimeSpan.FromSeconds(1));
        Assert.Equal(0, await store.SweepAsync(Cancellation));
        Assert.Equal(SubmissionKind.StoreFull, await KindAsync(store));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(9, await store.SweepAsync(Cancellation));
        Assert.Equal(default, store.Sum);
        Assert.Equal(SubmissionKind.Created, await KindAsync(other));
    }

    [Fact]
    public async Task Unfinished_TakeHalfOfTheBudget()
    {
        Options.MaxBytes = 100_000;
        var store = await OpenAsync();
        var job = await SubmitAsync(store, Text);
        for (var i = 0; i < 4; i++) Assert.Equal(SubmissionKind.Created, await KindAsync(store));
        Assert.Equal(SubmissionKind.Full, await KindAsync(store));
        Assert.Equal(CancelKind.Canceled, await store.CancelAsync("", job.Id, Cancellation));
        Assert.Equal(SubmissionKind.Created, await KindAsync(store));
        Assert.Equal(SubmissionKind.Full, await KindAsync(store));
    }

    [Fact]
    public async Task Owner_BesideAnotherKey_HasHalf()
    {
        Options.MaxBytes = 100_000;
        var store = await OpenAsync(hasOtherKey: _ => true);
        for (var i = 0; i < 4; i++) await FinishOneAsync(store, "alice");
        Assert.Equal(SubmissionKind.Created, await KindAsync(store, "alice", "short"));
        Assert.Equal(SubmissionKind.ShareUsed, await KindAsync(store, "alice"));
        for (var i = 0; i < 3; i++) Assert.Equal(SubmissionKind.Created, await KindAsync(store, "bob"));
    }

    [Fact]
    public async Task Owner_BesideAnothersJobs_HasHalfOfTheCapacity()
    {
        Options.Capacity = 10;
        var store = await OpenAsync();
        for (var i = 0; i < 6; i++) Assert.Equal(SubmissionKind.Created, await KindAsync(store, "alice"));
        Assert.Equal(SubmissionKind.Created, await KindAsync(store, "bob"));
        Assert.Equal(SubmissionKind.ShareUsed, await KindAsync(store, "alice"));
        for (var i = 0; i < 3; i++) Assert.Equal(SubmissionKind.Created, await KindAsync(store, "bob"));
        Assert.Equal(SubmissionKind.Full, await KindAsync(store, "bob"));
    }

    [Fact]
    public async Task Sums_AfterEverythingThatHappensToJobs_AreWhatIsCounted()
    {
        var store = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => store.SubmitAsync(
            New(new string('文', i)) with { Owner = $"owner {i % 3}", IdempotencyKey = i % 2 == 0 ? $"{i}" : null, TraceParent = i % 5 == 0 ? "p" : null, TraceState = "s" }, Cancellation)));
        var leased = await store.LeaseAsync(30, Cancellation);
        foreach (var job in leased.Take(10)) await store.FinishAsync(job.Id, new(JobStatus.Failed, Error: new(500, "t", "naïve")), Cancellation);
        for (var owner = 0; owner < 3; owner++)
            foreach (var job in leased.Skip(10).Take(10)) await store.CancelAsync($"owner {owner}", job.Id, Cancellation);
        await store.ReleaseAsync(Cancellation);
        await store.SweepAsync(Cancellation);
        var counted = store.Sum;
        Assert.Equal(40, counted.Unfinished);
        Assert.True(counted.Bytes > 60 * NewJob.RowBytes && counted.UnfinishedBytes > 40 * NewJob.RowBytes, $"{counted}");

        // Sums that cannot be are counted anew.
        await Home.Shell.ExecuteAsync($"UPDATE {Home.Shell.Jobs}_kept SET bytes = -1");
        await store.SweepAsync(Cancellation);
        Assert.Equal(counted, store.Sum);
        Assert.Single(Log.Messages, message => message.Contains("counted anew", StringComparison.Ordinal));

        Time.Advance(Options.Retention + TimeSpan.FromSeconds(1));
        await store.SweepAsync(Cancellation);
        Assert.Equal(0, store.Sum.Unfinished);
        Time.Advance(Options.Retention + TimeSpan.FromSeconds(1));
        await store.SweepAsync(Cancellation);
        Assert.Equal(default, store.Sum);
    }

    [Fact]
    public async Task Open_AfterAVersionWithoutSums_CountsWhatIsThere()
    {
        var store = await OpenAsync();
        var job = await SubmitAsync(store, "a");
        await store.SweepAsync(Cancellation);
        var sum = store.Sum;
        Assert.Equal(JobSum.Of(job), sum);
        await Home.Shell.ForgetSumsAsync();
        var next = await OpenAsync();
        await next.SweepAsync(Cancellation);
        Assert.Equal(sum, next.Sum);
        Assert.Equal(CancelKind.Canceled, await next.CancelAsync("", job.Id, Cancellation));
        await next.SweepAsync(Cancellation);
        Assert.Equal((0, sum.Bytes), (next.Sum.Unfinished, next.Sum.Bytes));
    }

    [Fact]
    public async Task Submit_OneThatCannotBeStored_FailsAlone()
    {
        var store = await OpenAsync();
        await SubmitAsync(store);
        await Home.Shell.RefuseOwnerAsync("bad");
        List<Task<Submission>> submissions;
        await using (await Home.BlockWritesAsync())
            submissions = [.. Enumerable.Range(0, 20).Select(i => Task.Run(() => store.SubmitAsync(New() with { Owner = i == 7 ? "bad" : "good" }, Cancellation)))];
        for (var i = 0; i < 20; i++)
        {
            if (i != 7) Assert.Equal(SubmissionKind.Created, (await submissions[i]).Kind);
            else Assert.True((await Assert.ThrowsAsync<JobStoreException>(() => submissions[7])).IsOfOneWrite);
        }
    }

    private async Task FinishOneAsync(IJobStore store, string owner = "")
    {
        Assert.Equal(SubmissionKind.Created, await KindAsync(store, owner));
        var leased = Assert.Single(await store.LeaseAsync(1, Cancellation));
        Assert.True(await store.FinishAsync(leased.Id, new(JobStatus.Failed, Error: new(500, "t", "d")), Cancellation));
    }

    private async Task<SubmissionKind> KindAsync(IJobStore store, string owner = "", string? text = null) =>
        (await store.SubmitAsync(New(text ?? Text) with { Owner = owner }, Cancellation)).Kind;
}
