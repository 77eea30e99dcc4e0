using System.Globalization;
using System.Text.Json;
using Lab.Orchestrator.Jobs;
using Lab.Orchestrator.Tests.Api;
using Lab.ServiceDefaults.Contracts;
using Lab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class SqliteDamagedRowTests : DamagedRowTests
{
    private protected override Task<IStoreHome> CreateHomeAsync() => Task.FromResult<IStoreHome>(new SqliteHome());
}

public sealed class PostgresDamagedRowTests(SharedPostgres postgres) : DamagedRowTests
{
    private protected override async Task<IStoreHome> CreateHomeAsync() =>
        new PostgresHome(await (await postgres.Cluster).CreateDatabaseAsync());
}

/// <summary>Rows in which anything may stand, written past the store: each is one bad row, and no more than that.</summary>
public abstract class DamagedRowTests : JobApiTestBase
{
    private const string Secret = "nobody is to read this in a log";

    private static readonly JobStatus[] States = [JobStatus.Queued, JobStatus.Running, JobStatus.Succeeded, JobStatus.Failed, JobStatus.Canceled];

    [Fact]
    public async Task Rows_DamagedInEveryColumn_AreSetAsideAndTheOthersServed()
    {
        await using (await StartAsync()) { }
        var rows = new List<(Guid Id, JobStatus State, string Column, string Value)>();
        var statements = new List<string>();
        foreach (var state in States)
        {
            Add(state, "", "");
            for (var i = 0; i < Home.Shell.Damages(0).Count; i++)
            {
                var (column, value) = Home.Shell.Damages(rows.Count + 1)[i];
                // A UUID that two rows had would be no damage, but refused.
                if (value.Contains("00000000-", StringComparison.Ordinal) && state != JobStatus.Queued) continue;
                Add(state, column, value);
            }
        }

        await Home.Shell.DamageAsync(statements);

        HashSet<long> setAside;
        await using (var lab = await StartAsync())
        {
            await lab.Client.UntilAsync(await lab.Client.AcceptedAsync("new"), "succeeded");
            await Eventually.TrueAsync(async () => await NumberAsync("status IN ('queued', 'running')") == 0, "nothing is left to do");
            foreach (var (id, state, column, value) in rows)
            {
                using var response = await lab.Client.GetAsync($"/requests/{id}", Cancellation);
                var isHidden = column is "id" or "owner" or "finished_at";
                Assert.True((int)response.StatusCode == 200 || (isHidden && (int)response.StatusCode == 404), $"{state}, {column} = {value}: {response.StatusCode}");
                if (!response.IsSuccessStatusCode) continue;
                var job = await JobClient.ReadJobAsync(response);
                Assert.True(job.FinishedAt is not null && job.RequestId == id.ToString(), $"{state}, {column} = {value}");
                if (column == "") Assert.Equal(state is JobStatus.Failed or JobStatus.Canceled ? state.Name() : "succeeded", job.Status);
                if (job.Status == "succeeded") Assert.Equal(Secret, job.Result!.InputText);
                Assert.Equal(409, await lab.Client.StatusOfAsync(HttpMethod.Delete, $"/requests/{id}"));
            }

            setAside = [.. (await Home.Shell.QueryAsync($"SELECT seq FROM {Home.Shell.Jobs} WHERE status = 'damaged'")).Select(row => (long)row[0]!)];
            foreach (var column in (string[])["id", "owner", "text", "text_pair", "is_drawn", "status", "result", "error", "submitted_at", "finished_at"])
                Assert.Contains(rows.Index(), row => row.Item.Column == column && setAside.Contains(row.Index + 1));
            Assert.Equal(setAside, ToldIn(lab).ToHashSet());
            Assert.Equal(setAside.Count, ToldIn(lab).Count());
            Assert.DoesNotContain(lab.Log, message => message.Contains(Secret, StringComparison.Ordinal));
            var store = lab.Services.GetRequiredService<IJobStore>();
            await store.SweepAsync(Cancellation);
            Assert.Equal(0, store.Sum.Unfinished);
        }

        // What is set aside stays, and is told no more.
        await using var next = await StartAsync();
        await next.Client.UntilAsync(await next.Client.AcceptedAsync("newer"), "succeeded");
        Assert.Empty(ToldIn(next));
        Assert.Equal(setAside.Count, await NumberAsync("status = 'damaged'"));

        void Add(JobStatus state, string column, string value)
        {
            var id = Guid.CreateVersion7();
            rows.Add((id, state, column, value));
            statements.Add(Insert(id, state, column, value));
        }
    }

    [Fact]
    public async Task Get_OfADamagedRow_TellsItsOwnerThatItFailed()
    {
        await using var lab = await StartAsync();
        var job = await lab.Client.AcceptedAsync("a", ("Idempotency-Key", "k"));
        await lab.Client.UntilAsync(job, "succeeded");
        await Home.Shell.ExecuteAsync($"UPDATE {Home.Shell.Jobs} SET result = 'null'");
        for (var i = 0; i < 2; i++)
        {
            var failed = await lab.Client.GetJobAsync(job);
            Assert.Equal(("failed", 500, true), (failed.Status, failed.Error!.Status, failed.Result is null));
        }

        Assert.Equal(409, await lab.Client.StatusOfAsync(HttpMethod.Delete, job));
        // Its key stands for it as before.
        Assert.Equal(job, await lab.Client.AcceptedAsync("a", ("Idempotency-Key", "k")));
        Assert.Single(ToldIn(lab));
    }

    [Fact]
    public async Task End_ThatCannotBeStored_FailsThatJobAlone()
    {
        await using var lab = await StartAsync();
        await lab.Client.UntilAsync(await lab.Client.AcceptedAsync("before"), "succeeded");
        await Home.Shell.RefuseSuccessAsync();
        var failed = await lab.Client.UntilAsync(await lab.Client.AcceptedAsync("a"), "failed");
        Assert.Equal((500, "Result not kept"), (failed.Error!.Status, failed.Error.Title));
    }

    private static IEnumerable<long> ToldIn(RunningOrchestrator lab) => lab.Log
        .Where(message => message.StartsWith("Row ", StringComparison.Ordinal) && message.Contains("set aside", StringComparison.Ordinal))
        .Select(message => long.Parse(message.Split(' ')[1], CultureInfo.InvariantCulture));

    private async Task<long> NumberAsync(string condition) =>
        (long)(await Home.Shell.QueryAsync($"SELECT count(*) FROM {Home.Shell.Jobs} WHERE {condition}"))[0][0]!;

    private string Insert(Guid id, JobStatus state, string damaged, string value)
    {
        var shell = Home.Shell;
        var now = DateTimeOffset.UtcNow;
        var answer = new RequestAnswer(id.ToString(), "worker-1", 1, 1, 0.5, 1.5, "", false, "POSITIVE", [0.25f, 0.75f]);
        var columns = new Dictionary<string, string>
        {
            ["id"] = $"'{id}'",
            ["owner"] = "''",
            ["idempotency_key"] = "NULL",
            ["text"] = shell.Bytes(Secret),
            ["text_pair"] = "NULL",
            ["is_drawn"] = shell is PostgresShell ? "false" : "0",
            ["trace_parent"] = "NULL",
            ["trace_state"] = "NULL",
            ["status"] = $"'{state.Name()}'",
            ["holder"] = state is JobStatus.Running ? "'dead'" : "NULL",
            ["leased_until"] = state is JobStatus.Running ? shell.Time(now.AddSeconds(20)) : "NULL",
            ["result"] = state is JobStatus.Succeeded ? $"'{JsonSerializer.Serialize(answer, WireJson.Relaxed.RequestAnswer)}'" : "NULL",
            ["error"] = state is JobStatus.Failed ? $"'{JsonSerializer.Serialize(new Refusal(502, "t", "d"), JobsJson.Relaxed.Refusal)}'" : "NULL",
            ["submitted_at"] = shell.Time(now.AddSeconds(-1)),
            ["finished_at"] = state is JobStatus.Queued or JobStatus.Running ? "NULL" : shell.Time(now),
        };
        if (damaged.Length > 0) columns[damaged] = value;
        return $"INSERT INTO {shell.Jobs} ({string.Join(", ", columns.Keys)}) VALUES ({string.Join(", ", columns.Values)})";
    }
}
