using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Jobs.Sqlite;
using Lab.Orchestrator.Tests.Api;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Orchestrator.Tests.Jobs;

/// <summary>A file of jobs and the disk that it is on.</summary>
public sealed class SqliteDiskTests
{
    private const long GiB = 1L << 30;
    private const long MiB = 1L << 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(8 * GiB, 2 * GiB)]
    [InlineData(1000 * GiB, 10 * GiB)]
    [InlineData(100 * MiB, 64 * MiB)]
    [InlineData(20 * MiB, 20 * MiB)]
    public async Task MaxBytes_ByDefault_IsAQuarterOfWhatIsFree(long free, long expected)
    {
        await using var home = new SqliteHome();
        await using var store = new SqliteJobStore(new() { Path = home.Path }, TimeProvider.System, NullLogger.Instance, disk: _ => new(free, 2000 * GiB));
        await store.OpenAsync(Cancellation);
        Assert.Equal(expected, store.MaxBytes);
    }

    [Fact]
    public async Task Submit_DiskNearlyFull_IsRefusedUntilThereIsRoom()
    {
        await using var home = new SqliteHome();
        var time = new FakeTimeProvider();
        var space = new DiskSpace(Free: 257 * MiB, Total: 100 * GiB);
        await using var store = new SqliteJobStore(new() { Path = home.Path, MaxBytes = GiB }, time, NullLogger.Instance, disk: _ => space);
        await store.OpenAsync(Cancellation);
        Assert.Equal(SubmissionKind.Created, await SubmitAsync());
        time.Advance(TimeSpan.FromSeconds(2));
        space = space with { Free = 256 * MiB };
        Assert.Equal(SubmissionKind.DiskLow, await SubmitAsync());
        // On a small disk less is left free.
        space = new(Free: 100 * MiB, Total: GiB);
        Assert.Equal(SubmissionKind.Created, await SubmitAsync());

        async Task<SubmissionKind> SubmitAsync() =>
            (await store.SubmitAsync(new(Guid.CreateVersion7(time.GetUtcNow()), "", "a", false, null, time.GetUtcNow()), Cancellation)).Kind;
    }

    [Fact]
    public async Task Lease_IndexSaysOtherwiseThanItsRows_IsMadeAnew()
    {
        await using var home = new SqliteHome();
        var log = new RememberedLog();
        await using (var store = home.Create(new(), TimeProvider.System, log))
        {
            await store.OpenAsync(Cancellation);
            for (var i = 0; i < 5; i++) await store.SubmitAsync(new(Guid.CreateVersion7(), "", $"{i}", false, null, DateTimeOffset.UtcNow), Cancellation);
        }

        // The first three are in the index of what is queued, and are not.
        await home.Shell.ExecuteAsync(IndexOf("nothing"));
        await home.Shell.ExecuteAsync("UPDATE jobs SET status = 'damaged', finished_at = 0 WHERE seq < 3; UPDATE jobs SET status = 'canceled', finished_at = 0 WHERE seq = 3");
        await home.Shell.ExecuteAsync(IndexOf("queued"));
        await using var next = home.Create(new(), TimeProvider.System, log);
        await next.OpenAsync(Cancellation);
        Assert.Equal("3", Assert.Single(await next.LeaseAsync(1, Cancellation)).Text);
        Assert.Equal("4", Assert.Single(await next.LeaseAsync(2, Cancellation)).Text);
        Assert.Single(log.Messages, message => message.Contains("made anew", StringComparison.Ordinal));

        static string IndexOf(string status) =>
            $"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX jobs_queued ON jobs (seq) WHERE status = ''{status}''' WHERE name = 'jobs_queued'; PRAGMA writable_schema = RESET";
    }

    [Fact]
    public void Of_ADirectory_TellsItsDisk()
    {
        var space = DiskSpace.Of(Path.GetTempPath())!.Value;
        Assert.InRange(space.Free, 0, space.Total);
        Assert.Null(DiskSpace.Of("/nowhere/at/all"));
    }
}
