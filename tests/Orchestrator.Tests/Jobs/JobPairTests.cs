using System.Text;
using Lab.Orchestrator.Jobs;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteJobPairTests : JobPairTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobPairTests(SharedPostgres postgres) : JobPairTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>Jobs of pairs of texts, over both stores.</summary>
public abstract class JobPairTests : JobStoreTestBase
{
    private const string Second = "naïve 文 🙂 'too' \0";

    [Fact]
    public async Task Job_OfAPair_OutlivesTheStoreThatTookIt()
    {
        var store = await OpenAsync();
        var job = New("a") with { Pair = Second };
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(job, Cancellation)).Kind);
        var next = await OpenAsync();
        Assert.Equal(new LeasedJob(job.Id, "a", job.SubmittedAt, null, null, Second), Assert.Single(await next.LeaseAsync(10, Cancellation)));
        Assert.True(await next.FinishAsync(job.Id, Succeeded(job), Cancellation));
        Assert.Equal("a", (await FindAsync(next, job))!.Result!.InputText);
    }

    [Theory]
    [InlineData(Second, SubmissionKind.Repeated)]
    [InlineData("another", SubmissionKind.KeyReused)]
    [InlineData(null, SubmissionKind.KeyReused)]
    public async Task Submit_SameKey_IsTheSameRequestOnlyWithTheSamePair(string? pair, object expected)
    {
        var store = await OpenAsync();
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(New("a") with { IdempotencyKey = "k", Pair = Second }, Cancellation)).Kind);
        Assert.Equal(expected, (await store.SubmitAsync(New("a") with { IdempotencyKey = "k", Pair = pair }, Cancellation)).Kind);
    }

    [Fact]
    public async Task Open_StoreOfAVersionThatKnewNoPairs_TakesAndCountsThem()
    {
        var before = await OpenAsync();
        var old = await SubmitAsync(before, "old");
        await Home.Shell.ForgetPairsAsync();

        var store = await OpenAsync();
        var job = New("a") with { Pair = new string('b', 10_000) };
        Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(job, Cancellation)).Kind);
        await store.SweepAsync(Cancellation);
        Assert.Equal(new JobSum(2, old.Bytes + job.Bytes, old.Bytes + job.Bytes), store.Sum);
        Assert.True(job.Bytes > NewJob.RowBytes + 10_000);
        Assert.Equal([null, job.Pair], (await store.LeaseAsync(10, Cancellation)).Select(leased => leased.Pair));
        Assert.True(await store.FinishAsync(job.Id, Succeeded(job), Cancellation));
        await store.SweepAsync(Cancellation);
        Assert.Equal((1, old.Bytes), (store.Sum.Unfinished, store.Sum.UnfinishedBytes));
    }

    [Fact]
    public async Task Submit_LongSecondTexts_FillTheBudget()
    {
        Options.MaxBytes = 100_000;
        var store = await OpenAsync();
        for (var i = 0; i < 4; i++) Assert.Equal(SubmissionKind.Created, (await store.SubmitAsync(Long(), Cancellation)).Kind);
        Assert.Equal(SubmissionKind.Full, (await store.SubmitAsync(Long(), Cancellation)).Kind);

        NewJob Long() => New() with { Pair = new string('b', 10_000) };
    }
}

public sealed class SqliteJobPairApiTests : JobPairApiTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresJobPairApiTests(SharedPostgres postgres) : JobPairApiTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>A pair of texts submitted as a client does, over both stores.</summary>
public abstract class JobPairApiTests : JobApiTestBase
{
    [Fact]
    public async Task Submit_Pair_ReachesTheWorkerWhole()
    {
        await using var lab = await StartAsync();
        using var accepted = await SubmitAsync("second");
        using var repeated = await SubmitAsync("second");
        using var reused = await SubmitAsync("third");
        Assert.Equal((202, 202, 422), ((int)accepted.StatusCode, (int)repeated.StatusCode, (int)reused.StatusCode));
        var job = accepted.Headers.Location!.ToString();
        Assert.Equal(job, repeated.Headers.Location!.ToString());
        Assert.Equal("first", (await lab.Client.UntilAsync(job, "succeeded")).Result!.InputText);
        Assert.Equal("second", Assert.Single(Assert.Single(lab.Workers[0].BatchRequests).Options!)!.Pair);

        async Task<HttpResponseMessage> SubmitAsync(string pair)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/new_request")
            {
                Content = new StringContent($$"""{"text":"first","text_pair":"{{pair}}"}""", Encoding.UTF8, "application/json"),
                Headers = { { "Prefer", "respond-async" }, { "Idempotency-Key", "k" } },
            };
            return await lab.Client.SendAsync(request, Cancellation);
        }
    }
}
