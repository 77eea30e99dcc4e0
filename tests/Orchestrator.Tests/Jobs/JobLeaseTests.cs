using System.Collections.Concurrent;
using Lab.Orchestrator.Jobs;
using Lab.Testing;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobLeaseTests : JobLeaseTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobLeaseTests(SharedPostgres postgres) : JobLeaseTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());

    [Fact]
    public async Task Lease_BeforeItsLockTellsThatItIsAlive_TakesNothing()
    {
        await SubmitAsync(await OpenAsync(), "a");
        var store = Home.Create(Options, Time, Log);
        Opened.Add(store);
        Assert.Empty(await store.LeaseAsync(1, Cancellation));

        await store.OpenAsync(Cancellation);

        Assert.Single(await store.LeaseAsync(1, Cancellation));
    }
}

/// <summary>Who runs which job, in every store, by a clock of the test's own.</summary>
public abstract class JobLeaseTests : JobStoreTestBase
{
    [Fact]
    public async Task Lease_TakesInOrderOfSubmission()
    {
        var store = await OpenAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 50; i++) ids.Add((await SubmitAsync(store, $"{i}")).Id);
        var leased = new List<Guid>();
        for (var i = 0; i < 5; i++) leased.AddRange((await store.LeaseAsync(11, Cancellation)).Select(job => job.Id));
        Assert.Equal(ids, leased);
        Assert.Empty(await store.LeaseAsync(1, Cancellation));
    }

    [Fact]
    public async Task Lease_BySeveralAtOnce_GivesEachJobToOne()
    {
        var stores = new[] { await OpenAsync(), await OpenAsync(), await OpenAsync() };
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => SubmitAsync(stores[i % 3], $"{i}")));
        var leased = new ConcurrentBag<Guid>();
        await Task.WhenAll(stores.Select(store => Task.Run(async () =>
        {
            while (await store.LeaseAsync(7, Cancellation) is { Count: > 0 } some)
                foreach (var job in some) leased.Add(job.Id);
        })));
        Assert.Equal(300, leased.Count);
        Assert.Equal(300, leased.Distinct().Count());
    }

    [Fact]
    public async Task Finish_ByAllWhoEverHeldIt_SucceedsOnce()
    {
        var (first, second) = (await OpenAsync(), await OpenAsync());
        var jobs = new List<NewJob>();
        for (var i = 0; i < 50; i++) jobs.Add(await SubmitAsync(first, $"{i}"));
        Assert.Equal(50, (await first.LeaseAsync(50, Cancellation)).Count);
        Time.Advance(Options.Lease + TimeSpan.FromSeconds(1));
        Assert.Equal(50, (await second.LeaseAsync(50, Cancellation)).Count);

        var ends = await Task.WhenAll(jobs.SelectMany(job => new[] { first, second, first, second }
            .Select(store => store.FinishAsync(job.Id, Succeeded(job), Cancellation))));
        Assert.Equal(50, ends.Count(finished => finished));
        Assert.All(ends.Chunk(4), of => Assert.False(of[0] || of[2]));
    }

    [Fact]
    public async Task Lease_Expires_GoesToAnotherUnlessRenewed()
    {
        var (first, second) = (await OpenAsync(), await OpenAsync());
        var (kept, lost) = (await SubmitAsync(first, "kept"), await SubmitAsync(first, "lost"));
        await first.LeaseAsync(2, Cancellation);
        Time.Advance(Options.Lease - TimeSpan.FromSeconds(1));
        Assert.Equal([kept.Id], await first.RenewAsync([kept.Id], Cancellation));
        Assert.Empty(await second.LeaseAsync(2, Cancellation));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([lost.Id], (await second.LeaseAsync(2, Cancellation)).Select(job => job.Id));
        Assert.Equal([kept.Id], await first.RenewAsync([kept.Id, lost.Id], Cancellation));
        Assert.Empty(await second.RenewAsync([kept.Id], Cancellation));
    }

    [Fact]
    public async Task Release_HandsEverythingBackAtOnceAndFirst()
    {
        var (first, second) = (await OpenAsync(), await OpenAsync());
        var jobs = new List<NewJob>();
        for (var i = 0; i < 4; i++) jobs.Add(await SubmitAsync(first, $"{i}"));
        await first.LeaseAsync(2, Cancellation);
        await first.ReleaseAsync(Cancellation);
        Assert.Equal(JobStatus.Queued, (await FindAsync(first, jobs[0]))!.Status);
        Assert.Equal(jobs.Select(job => job.Id), (await second.LeaseAsync(10, Cancellation)).Select(job => job.Id));
    }

    [Fact]
    public async Task ReleaseAbandoned_TakesFromTheDeadOnly()
    {
        var (dead, alive) = (await OpenAsync(), await OpenAsync());
        await SubmitAsync(alive, "of the dead");
        await dead.LeaseAsync(1, Cancellation);
        await SubmitAsync(alive, "of the living");
        await alive.LeaseAsync(1, Cancellation);
        // A store that is closed without handing back is what a killed process leaves.
        Opened.Remove(dead);
        await dead.DisposeAsync();

        var next = await OpenAsync();
        // News of it are not believed at once.
        Time.Advance(Options.Lease / 2);
        await Eventually.TrueAsync(async () =>
        {
            // A server needs a moment to notice that a client has gone.
            return await next.ReleaseAbandonedAsync(Cancellation) == 1;
        }, "the dead one's job is handed back");
        Assert.Equal(["of the dead"], (await next.LeaseAsync(10, Cancellation)).Select(job => job.Text));
    }
}
