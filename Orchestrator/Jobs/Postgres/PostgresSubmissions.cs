using System.Text;
using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>A group of submissions, stored in one transaction.</summary>
internal sealed class PostgresSubmissions(PostgresDatabase database, string holder, OpenJobsGauge open, Func<DateTimeOffset> retainedSince)
{
    private const string Insert = """
        INSERT INTO lab_jobs (id, owner, idempotency_key, text, is_drawn, trace_parent, trace_state, submitted_at)
        SELECT id, owner, key, text, drawn, parent, state, at
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY AS new (id, owner, key, text, drawn, parent, state, at, place)
        ORDER BY place ON CONFLICT DO NOTHING RETURNING id
        """;

    public Task<IReadOnlyList<Submission>> StoreAsync(IReadOnlyList<NewJob> jobs) =>
        database.UseAsync(connection => StoreAsync(connection, jobs), CancellationToken.None);

    public static Task<long> CountAsync(NpgsqlConnection connection) => NumberAsync(connection,
        "SELECT (SELECT count(*) FROM lab_jobs WHERE status = 'queued') + (SELECT count(*) FROM lab_jobs WHERE status = 'running')");

    private async Task<IReadOnlyList<Submission>> StoreAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        var found = new Submission?[jobs.Count];
        await FindEarlierAsync(connection, jobs, found, [.. Missing(found).Where(i => jobs[i].IdempotencyKey is not null)]);
        var wanted = Missing(found);
        var room = await open.RoomAsync(wanted.Count, () => CountAsync(connection));
        foreach (var full in wanted.Skip(room)) found[full] = Submission.Full;

        var stored = await InsertAsync(connection, [.. wanted.Take(room).Select(i => jobs[i])]);
        foreach (var i in wanted.Take(room))
            if (stored.Contains(jobs[i].Id)) found[i] = Submission.Created(jobs[i]);
        // Its key is in this group twice, another orchestrator was faster, or this is the second try of a commit that was lost from sight.
        await FindEarlierAsync(connection, jobs, found, Missing(found));
        await transaction.CommitAsync();
        open.Add(stored.Count);
        return [.. found.Select(submission => submission ?? throw new JobStoreException("A key's job vanished while it was looked up; try again."))];
    }

    private async Task FindEarlierAsync(NpgsqlConnection connection, IReadOnlyList<NewJob> jobs, Submission?[] found, List<int> asked)
    {
        if (asked.Count == 0) return;
        var owners = asked.Select(i => jobs[i].Owner).ToArray();
        var keys = asked.Select(i => jobs[i].IdempotencyKey).ToArray();
        await connection.Command(
            """
            DELETE FROM lab_jobs USING unnest($1, $2) AS asked (owner, key)
            WHERE lab_jobs.owner = asked.owner AND idempotency_key = key AND finished_at < $3
            """,
            owners, keys, retainedSince()).RunAsync(default);
        var earlier = await connection.Command(
            $"""
            SELECT {PostgresJobStore.Columns}, owner, idempotency_key, is_drawn FROM lab_jobs
            WHERE (owner, idempotency_key) IN (SELECT * FROM unnest($1, $2)) OR id = ANY ($3)
            """,
            owners, keys, asked.Select(i => jobs[i].Id).ToArray()).ReadAsync(row => (
                Owner: row.GetString(7),
                Key: row.IsDBNull(8) ? null : row.GetString(8),
                Text: Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(2)),
                IsGenerated: row.GetBoolean(9),
                Job: PostgresJobStore.ToJob(row)), default);
        foreach (var i in asked)
        {
            var job = jobs[i];
            if (earlier.Find(row => row.Job.Id == job.Id).Job is not null) found[i] = Submission.Created(job);
            else if (job.IdempotencyKey is { } key && earlier.Find(row => row.Owner == job.Owner && row.Key == key) is { Job: { } same } row)
                found[i] = job.IsSameRequestAs(row.Text, row.IsGenerated) ? new(SubmissionKind.Repeated, same) : Submission.KeyReused;
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
            jobs.Select(job => job.SubmittedAt).ToArray(),
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

    private static async Task<long> NumberAsync(NpgsqlConnection connection, string sql) =>
        (await connection.Command(sql).ReadAsync(row => row.GetInt64(0), default))[0];
}
