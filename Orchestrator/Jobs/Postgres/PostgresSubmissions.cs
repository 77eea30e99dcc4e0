using System.Text;
using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>A group of submissions, stored in one transaction.</summary>
/// <param name="database">Where to.</param>
/// <param name="holder">This orchestrator's name.</param>
/// <param name="budget">Whether there is room.</param>
/// <param name="now">The time.</param>
/// <param name="retention">How long what has finished is kept.</param>
/// <param name="setAside">Hears of rows that were found unreadable.</param>
internal sealed class PostgresSubmissions(
    PostgresDatabase database, string holder, JobBudget budget, Func<DateTimeOffset> now, TimeSpan retention, Action<IEnumerable<JobRow>> setAside)
{
    private const string Insert = """
        INSERT INTO lab_jobs (id, owner, idempotency_key, text, is_drawn, trace_parent, trace_state, submitted_at, text_pair)
        SELECT id, owner, key, text, drawn, parent, state, at, pair
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) WITH ORDINALITY AS new (id, owner, key, text, drawn, parent, state, at, pair, place)
        ORDER BY place ON CONFLICT DO NOTHING RETURNING id
        """;

    public Task<IReadOnlyList<Submission>> StoreAsync(IReadOnlyList<NewJob> jobs) =>
        database.UseAsync(connection => StoreAsync(connection, jobs), CancellationToken.None);

    private async Task<IReadOnlyList<Submission>> StoreAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        var found = new Submission?[jobs.Count];
        var damaged = new List<JobRow>();
        await FindEarlierAsync(connection, jobs, found, [.. Missing(found).Where(i => jobs[i].IdempotencyKey is not null)], damaged);
        var wanted = Missing(found);
        var verdicts = await budget.AdmitAsync([.. wanted.Select(i => jobs[i])], () => PostgresSums.ReadAsync(connection));
        foreach (var (i, verdict) in wanted.Zip(verdicts))
            if (verdict is not SubmissionKind.Created) found[i] = new(verdict);

        var admitted = Missing(found);
        var stored = await InsertAsync(connection, [.. admitted.Select(i => jobs[i])]);
        foreach (var i in admitted)
            if (stored.Contains(jobs[i].Id)) found[i] = Submission.Created(jobs[i]);
        // Its key is in this group twice, another orchestrator was faster, or this is the second try of a commit that was lost from sight.
        await FindEarlierAsync(connection, jobs, found, Missing(found), damaged);
        await transaction.CommitAsync();
        setAside(damaged);
        foreach (var job in jobs.Where(job => stored.Contains(job.Id))) budget.Stored(job);
        return [.. found.Select(submission => submission ?? new(SubmissionKind.Vanished))];
    }

    private async Task FindEarlierAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, Submission?[] found, List<int> asked, List<JobRow> damaged)
    {
        if (asked.Count == 0) return;
        var owners = asked.Select(i => jobs[i].Owner).ToArray();
        var keys = asked.Select(i => jobs[i].IdempotencyKey).ToArray();
        await connection.Command(
            """
            DELETE FROM lab_jobs USING unnest($1, $2) AS asked (owner, key)
            WHERE lab_jobs.owner = asked.owner AND idempotency_key = key AND finished_at >= '1970-01-01 00:00Z' AND finished_at < $3
            """,
            owners, keys, now() - retention).RunAsync(default);
        var earlier = await connection.Command(
            $"{PostgresRows.Select} WHERE (owner, idempotency_key) IN (SELECT * FROM unnest($1, $2)) OR id = ANY ($3)",
            owners, keys, asked.Select(i => jobs[i].Id).ToArray()).RowsAsync(now(), default);
        damaged.AddRange(await connection.SetAsideAsync(earlier, now(), default));
        foreach (var i in asked)
        {
            var job = jobs[i];
            if (earlier.Exists(row => row.Id == job.Id)) found[i] = Submission.Created(job);
            else if (job.IdempotencyKey is { } key && earlier.Find(row => row.Owner == job.Owner && row.Key == key) is { } row) found[i] = row.Repeat(job);
        }
    }

    private async Task<HashSet<Guid>> InsertAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs)
    {
        if (jobs.Count == 0) return [];
        await using var batch = new NpgsqlBatch(connection);
        var insert = new NpgsqlBatchCommand(Insert);
        object[] columns =
        [
            jobs.Select(job => job.Id).ToArray(), jobs.Select(job => job.Owner).ToArray(), jobs.Select(job => job.IdempotencyKey).ToArray(),
            jobs.Select(job => Encoding.UTF8.GetBytes(job.Text)).ToArray(), jobs.Select(job => job.IsGenerated).ToArray(),
            jobs.Select(job => job.TraceParent).ToArray(), jobs.Select(job => job.TraceState).ToArray(),
            jobs.Select(job => job.SubmittedAt).ToArray(), jobs.Select(job => job.Pair is null ? null : Encoding.UTF8.GetBytes(job.Pair)).ToArray(),
        ];
        foreach (var column in columns) insert.Parameters.Add(new() { Value = column });
        var notify = new NpgsqlBatchCommand($"SELECT pg_notify('{PostgresListener.Channel}', $1)");
        notify.Parameters.Add(new() { Value = PostgresListener.Payload(holder, JobSignalKind.Queued) });
        batch.BatchCommands.Add(insert);
        batch.BatchCommands.Add(notify);
        await using var reader = await batch.ExecuteReaderAsync();
        var stored = new HashSet<Guid>();
        while (await reader.ReadAsync()) stored.Add(reader.GetGuid(0));
        await reader.NextResultAsync();
        return stored;
    }

    private static List<int> Missing(Submission?[] found) => [.. Enumerable.Range(0, found.Length).Where(i => found[i] is null)];
}
