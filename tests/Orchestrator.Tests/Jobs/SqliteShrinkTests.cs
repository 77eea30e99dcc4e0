using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Jobs.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteShrinkTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sweep_AfterRetention_GivesTheSpaceBack()
    {
        await using var home = new SqliteHome();
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var options = new JobsOptions();
        await using var store = (SqliteJobStore)home.Create(options, time);
        await store.OpenAsync(Cancellation);
        var text = new string('a', 4000);
        var sizes = new List<long>();
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 2000).Select(_ =>
                store.SubmitAsync(new(Guid.CreateVersion7(time.GetUtcNow()), "", text, false, null, time.GetUtcNow()), Cancellation)));
            var leased = await store.LeaseAsync(2000, Cancellation);
            await Task.WhenAll(leased.Select(job => store.FinishAsync(job.Id, new(JobStatus.Failed), Cancellation)));
            sizes.Add(Size(home.Path));
            time.Advance(options.Retention + TimeSpan.FromSeconds(1));
            Assert.Equal(2000, await store.SweepAsync(Cancellation));
            Assert.InRange(Size(home.Path), 0, 1_000_000);
        }

        Assert.All(sizes, size => Assert.InRange(size, 8_000_000, 40_000_000));
    }

    // The log that is written ahead is part of what the jobs take up.
    private static long Size(string path) => new[] { path, path + "-wal" }.Sum(file => File.Exists(file) ? new FileInfo(file).Length : 0);
}
