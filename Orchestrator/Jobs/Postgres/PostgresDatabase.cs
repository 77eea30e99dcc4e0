using Npgsql;

namespace Lab.Orchestrator.Jobs.Postgres;

/// <summary>The database: its schema, its connections, and one more try after the server has cut one.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    // Any number will do, as long as it is always the same.
    private const long SchemaLock = 5_497_301_846_220_917;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS lab_jobs (
            seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id uuid NOT NULL UNIQUE,
            owner text NOT NULL,
            idempotency_key text,
            text bytea NOT NULL,
            is_drawn boolean NOT NULL,
            trace_parent text,
            trace_state text,
            status text NOT NULL DEFAULT 'queued',
            holder text,
            leased_until timestamptz,
            result text,
            error text,
            submitted_at timestamptz NOT NULL,
            finished_at timestamptz
        );
        -- Only where it is missing: altering a table waits for everybody who uses it.
        DO $schema$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'lab_jobs'::regclass AND attname = 'text_pair' AND NOT attisdropped) THEN
            ALTER TABLE lab_jobs ADD COLUMN text_pair bytea;
        END IF;
        END $schema$;
        CREATE UNIQUE INDEX IF NOT EXISTS lab_jobs_key ON lab_jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX IF NOT EXISTS lab_jobs_queued ON lab_jobs (seq) WHERE status = 'queued';
        CREATE INDEX IF NOT EXISTS lab_jobs_running ON lab_jobs (leased_until) WHERE status = 'running';
        CREATE INDEX IF NOT EXISTS lab_jobs_finished ON lab_jobs (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX IF NOT EXISTS lab_jobs_astray ON lab_jobs (seq) WHERE finished_at IS NULL AND (status IS NULL OR status NOT IN ('queued', 'running'));
        """;

    // Values, constraints, limits, and damaged data: what is wrong with one row is not wrong with the next.
    private static readonly string[] OfOneWrite = ["21", "22", "23", "54", "XX001", "XX002"];

    private readonly NpgsqlDataSource _source;
    private volatile bool _hasSchema;

    /// <exception cref="JobStoreException">The connection string is none.</exception>
    public PostgresDatabase(string connectionString)
    {
        try
        {
            var asked = new NpgsqlConnectionStringBuilder(connectionString);
            // Npgsql waits longer by default than a client does for its 202.
            if (!asked.ContainsKey("Timeout")) asked.Timeout = 5;
            if (!asked.ContainsKey("Command Timeout")) asked.CommandTimeout = 10;
            if (!asked.ContainsKey("Application Name")) asked.ApplicationName = "lab-orchestrator";
            _source = NpgsqlDataSource.Create(asked);
            Where = $"PostgreSQL at {asked.Host}, database {asked.Database}";
            // What a listener has set on its connection must not reach the next user of a pool.
            asked.Pooling = false;
            asked.KeepAlive = 10;
            ListenerString = asked.ConnectionString;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or InvalidOperationException or NotSupportedException)
        {
            throw new JobStoreException($"{JobsOptions.Section}:{nameof(JobsOptions.ConnectionString)}: {e.Message} Write it like Host=db;Database=lab;Username=lab;Password=….", e);
        }
    }

    public string Where { get; }

    /// <summary>The connection string of a session that lasts.</summary>
    public string ListenerString { get; }

    /// <summary>Connects for the first time.</summary>
    /// <returns>Why the server cannot be reached for now, or <c>null</c>.</returns>
    /// <exception cref="JobStoreException">The server was reached and refuses: only a person can mend that.</exception>
    public async Task<string?> TryOpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await OpenAsync(cancellationToken);
            return null;
        }
        catch (PostgresException e) when (!IsPassing(e))
        {
            throw new JobStoreException($"{Where}: {e.MessageText}", e);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return e.Message;
        }
    }

    /// <summary>Uses a connection; twice, if the first time it was cut or the server did not want it just then.</summary>
    /// <exception cref="JobStoreException">The database is not to be had.</exception>
    public async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            try
            {
                await using var connection = await OpenAsync(cancellationToken);
                return await use(connection);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                if (again || !IsPassing(e)) throw Failure(e);
                // One connection that the server has cut seldom comes alone.
                _source.Clear();
            }
            catch (Exception e) when (e is InvalidCastException or FormatException or OverflowException or ArgumentException)
            {
                // A value that cannot be sent, or a column of another type than the schema's.
                throw Failure(e);
            }
        }
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken);
        try
        {
            if (!_hasSchema)
            {
                // Of several orchestrators that start together one creates, the others find it there.
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await connection.Command("SELECT pg_advisory_xact_lock($1)", SchemaLock).RunAsync(cancellationToken);
                var schema = connection.Command($"{Schema}\n{PostgresSums.Schema}");
                // What is there already is counted once, however long it takes.
                schema.CommandTimeout = 0;
                await schema.RunAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                _hasSchema = true;
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private JobStoreException Failure(Exception e) => new($"{Where}: {e.Message}", e)
    {
        IsFull = e is PostgresException { SqlState: PostgresErrorCodes.DiskFull },
        IsOfOneWrite = e is not (NpgsqlException or TimeoutException) || (e is PostgresException { SqlState: var state } && OfOneWrite.Any(state.StartsWith)),
    };

    // Class 57: the operator shuts down or has not started up yet.
    private static bool IsPassing(Exception e) =>
        e is not PostgresException postgres || postgres.IsTransient || postgres.SqlState.StartsWith("57", StringComparison.Ordinal);
}
