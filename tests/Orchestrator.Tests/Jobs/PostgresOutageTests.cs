using System.Diagnostics;
using Lab.Orchestrator.Tests.Api;
using Lab.Testing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class PostgresOutageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="leaseSeconds">For how long a job is leased: well beyond the outage, or less than it.</param>
    [Theory]
    [InlineData(60)]
    [InlineData(1)]
    public async Task Outage_SubmissionsGet503AndNothingAcceptedIsLost(int leaseSeconds)
    {
        await using var cluster = await PostgresCluster.StartAsync();
        var database = await cluster.CreateDatabaseAsync();
        await using var lab = await StartAsync(workers: 1, "--Jobs:Provider=postgres", $"--Jobs:ConnectionString={database}", "--Orchestrator:MaxBatch=1", $"--Jobs:Lease={TimeSpan.FromSeconds(leaseSeconds):c}");
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lab.Workers[0].Handle = async (text, _) =>
        {
            await release.Task;
            return StubWorker.Answer(text);
        };
        var jobs = new List<string>();
        for (var i = 0; i < 100; i++) jobs.Add(await lab.Client.AcceptedAsync($"{i}"));
        await lab.Client.UntilAsync(jobs[0], "running");

        await cluster.StopServerAsync();
        var away = Stopwatch.StartNew();
        using var refused = await lab.Client.SubmitAsync("now");
        await ReadProblemAsync(refused, 503);
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());
        using var unreadable = await lab.Client.GetAsync(jobs[0], Cancellation);
        await ReadProblemAsync(unreadable, 503);
        // The first job's end cannot be written now, and is not forgotten.
        release.SetResult();
        await lab.UntilLoggedAsync("is not to be had");
        using var waiting = await lab.PostAsync("who waits needs no database");
        Assert.Equal(200, (int)waiting.StatusCode);

        // Short leases run out while nobody can renew them.
        if (leaseSeconds < 60) await Eventually.TrueAsync(() => away.Elapsed >= TimeSpan.FromSeconds(leaseSeconds), "the leases have run out");
        await cluster.StartServerAsync();
        jobs.Add(await lab.Client.AcceptedAsync("then"));
        foreach (var job in jobs) await lab.Client.UntilAsync(job, "succeeded");
        Assert.Equal(101, lab.Workers[0].Texts.Count(text => text.Length < 5));
    }

    [Fact]
    public async Task Start_ServerAway_ComesUpAndFindsItLater()
    {
        await using var cluster = await PostgresCluster.StartAsync();
        var database = await cluster.CreateDatabaseAsync();
        await cluster.StopServerAsync();
        await using var lab = await StartAsync(workers: 1, "--Jobs:Provider=postgres", $"--Jobs:ConnectionString={database}");
        using var refused = await lab.Client.SubmitAsync("now");
        await ReadProblemAsync(refused, 503);
        await cluster.StartServerAsync();
        await lab.Client.UntilAsync(await lab.Client.AcceptedAsync("then"), "succeeded");
    }
}
