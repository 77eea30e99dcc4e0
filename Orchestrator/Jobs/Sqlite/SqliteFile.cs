using Microsoft.Data.Sqlite;

namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>Where the file is, who may read it, and what is in it.</summary>
internal static class SqliteFile
{
    private const int SchemaVersion = 1;

    private const string Schema = """
        CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            owner TEXT NOT NULL,
            idempotency_key TEXT,
            text BLOB NOT NULL,
            is_drawn INTEGER NOT NULL,
            trace_parent TEXT,
            trace_state TEXT,
            status TEXT NOT NULL,
            holder TEXT,
            leased_until INTEGER,
            result TEXT,
            error TEXT,
            submitted_at INTEGER NOT NULL,
            finished_at INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX jobs_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX jobs_queued ON jobs (seq) WHERE status = 'queued';
        CREATE INDEX jobs_running ON jobs (leased_until) WHERE status = 'running';
        CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
        """;

    /// <summary>What no query of queued, running or finished jobs comes upon.</summary>
    public const string IsAstray = "finished_at IS NULL AND (status IS NULL OR status NOT IN ('queued', 'running'))";

    // Added without a new version: an older orchestrator uses the file as before.
    private const string Astray = $"CREATE INDEX IF NOT EXISTS jobs_astray ON jobs (seq) WHERE {IsAstray}";

    // The same way: an older orchestrator neither takes pairs nor looks at this column.
    private const string Pair = "ALTER TABLE jobs ADD COLUMN text_pair BLOB";

    /// <summary>The configured path, or the one in the user's directory for state.</summary>
    /// <exception cref="JobStoreException">There is no such directory.</exception>
    public static string Locate(string? configured)
    {
        if (configured is not null) return Path.GetFullPath(configured);
        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        // The specification has a relative path ignored.
        if (string.IsNullOrEmpty(state) || !Path.IsPathRooted(state))
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            if (string.IsNullOrEmpty(home))
                throw new JobStoreException($"There is no home directory to keep jobs in; set {JobsOptions.Section}:{nameof(JobsOptions.Path)}.");
            state = Path.Combine(home, ".local", "state");
        }

        return Path.Combine(state, "lab", "jobs.db");
    }

    /// <summary>Creates what is missing and checks the rest.</summary>
    /// <returns>The writer's connection.</returns>
    /// <exception cref="JobStoreException">The file cannot be written, or is something else.</exception>
    public static SqliteSession Open(string path)
    {
        try
        {
            Create(path);
            var session = new SqliteSession(path, pooled: false).Open();
            try
            {
                Prepare(session, path);
                return session;
            }
            catch
            {
                session.Dispose();
                throw;
            }
        }
        catch (SqliteException e)
        {
            throw new JobStoreException($"{path}: {Explain(e)}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobStoreException($"Jobs cannot be kept in {path}: {e.Message}", e);
        }
    }

    /// <summary>What is wrong, without the library's own frame around it.</summary>
    public static string Explain(SqliteException e) => e.SqliteErrorCode switch
    {
        SqliteErrors.NotADatabase => "this file is not a SQLite database.",
        SqliteErrors.Corrupt => "this SQLite database is damaged.",
        SqliteErrors.ReadOnly => "this file cannot be written.",
        SqliteErrors.CannotOpen => "this file cannot be opened.",
        SqliteErrors.Full => "the disk is full.",
        SqliteErrors.Busy => "another process has kept this file locked.",
        _ => e.Message,
    };

    /// <summary>What went wrong, for those who wait for it.</summary>
    public static JobStoreException Failure(string what, Exception e)
    {
        if (e is not SqliteException sqlite) return new($"{what}: {e.Message}", e) { IsOfOneWrite = e is not IOException };
        return new($"{what}: {Explain(sqlite)}", e)
        {
            IsFull = sqlite.SqliteErrorCode is SqliteErrors.Full,
            IsOfOneWrite = sqlite.SqliteErrorCode is SqliteErrors.Corrupt or SqliteErrors.TooBig or SqliteErrors.Constraint or SqliteErrors.Mismatch,
        };
    }

    /// <summary>Whether a table refuses a row because one of its columns holds what is not of its type.</summary>
    public static bool IsOfAnotherType(SqliteException e) => e.SqliteExtendedErrorCode == SqliteErrors.OfAnotherType;

    /// <summary>What SQLite itself throws where it notices that an index says otherwise than its table.</summary>
    public static SqliteException StaleIndex() => new("An index says otherwise than its table.", SqliteErrors.Corrupt, SqliteErrors.CorruptIndex);

    /// <summary>Whether an index says otherwise than its table.</summary>
    public static bool IsOfAnIndex(SqliteException e) => e.SqliteExtendedErrorCode == SqliteErrors.CorruptIndex;

    /// <summary>Whether something is the store's, and not a defect of its callers.</summary>
    public static bool IsOfTheStore(Exception e) =>
        e is SqliteException or IOException or UnauthorizedAccessException or InvalidCastException or FormatException or OverflowException or InvalidOperationException;

    // Texts and results are their senders' own: nobody else on the machine is to read them.
    private static void Create(string path)
    {
        if (Directory.Exists(path)) throw new IOException("it is a directory.");
        var directory = Path.GetDirectoryName(path)!;
        // The system's own words for it are that the file exists already.
        for (var parent = directory; parent is not null; parent = Path.GetDirectoryName(parent))
            if (File.Exists(parent)) throw new IOException($"{parent} is a file, not a directory.");
        const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else
        {
            Directory.CreateDirectory(directory, Mine | UnixFileMode.UserExecute);
            options.UnixCreateMode = Mine;
        }

        // Never opened once it exists: closing it would drop the locks that SQLite holds on it in this process.
        if (File.Exists(path)) return;
        try
        {
            File.Open(path, options).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster.
        }
    }

    private static void Prepare(SqliteSession session, string path)
    {
        // Only an empty file takes this: later it has no effect.
        session.Execute("PRAGMA auto_vacuum = INCREMENTAL");
        session.Query("PRAGMA journal_mode = WAL", row => row.GetString(0));
        // FULL: a commit has reached the disk before it returns. NORMAL would lose the last ones with the power.
        session.Execute("PRAGMA synchronous = FULL");
        session.Query("PRAGMA journal_size_limit = 16777216", row => row.GetInt64(0));

        // Takes the right to write before anything relies on it; two processes may start together.
        session.Execute("BEGIN IMMEDIATE");
        var version = session.Number("PRAGMA user_version");
        if (version > SchemaVersion)
            throw new JobStoreException($"{path} was written by a newer version of the orchestrator (schema {version}, known: {SchemaVersion}).");
        if (version == 0)
        {
            session.Execute(Schema);
            session.Execute("PRAGMA user_version = 1");
        }

        if (session.Number("SELECT count(*) FROM pragma_table_info('jobs') WHERE name = 'text_pair'") == 0) session.Execute(Pair);
        SqliteSums.Prepare(session);
        session.Execute(Astray);
        session.Execute("COMMIT");
    }

    /// <summary>SQLite's primary result codes that somebody can do something about.</summary>
    private static class SqliteErrors
    {
        public const int Busy = 5;
        public const int ReadOnly = 8;
        public const int Corrupt = 11;
        public const int Full = 13;
        public const int CannotOpen = 14;
        public const int TooBig = 18;
        public const int Constraint = 19;
        public const int Mismatch = 20;
        public const int NotADatabase = 26;
        public const int CorruptIndex = 779;
        public const int OfAnotherType = 3091;
    }
}
