namespace Lab.Orchestrator.Jobs.Sqlite;

/// <summary>
/// This process's name as a holder of leases, and a locked file beside the database that says it is alive. The
/// kernel drops the lock with the process, however it ends, so that another one – in another container too, if it
/// shares the directory – need not wait for its leases to run out.
/// </summary>
internal sealed class SqliteHolder : IDisposable
{
    private const string Infix = ".holder-";

    // Another process comes in between seldom, and hardly ever twice.
    private const int MaxAttempts = 10;

    private readonly string _database;
    private readonly FileStream _lock;

    private SqliteHolder(string database, string name, FileStream held)
    {
        _database = database;
        Name = name;
        _lock = held;
    }

    public string Name { get; }

    /// <summary>Takes a name of its own.</summary>
    /// <exception cref="JobStoreException">Its file cannot be made, with the reason.</exception>
    public static SqliteHolder Take(string database)
    {
        for (var attempt = 1; ; attempt++)
        {
            var name = Guid.NewGuid().ToString("N");
            try
            {
                // Between its creation and its lock the file may look abandoned to another process, which deletes it.
                var held = Lock(database + Infix + name, FileMode.CreateNew);
                if (File.Exists(held.Name)) return new(database, name, held);
                held.Dispose();
                if (attempt == MaxAttempts) throw new IOException($"{held.Name} was deleted as soon as it was there");
            }
            catch (IOException) when (attempt < MaxAttempts)
            {
                // That other process holds it.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new JobStoreException($"Jobs cannot be kept in {database}: a file beside it is needed that says who runs them. {e.Message}", e);
            }
        }
    }

    /// <summary>The holders that live, this one among them; the files of dead ones are deleted.</summary>
    public HashSet<string> Alive()
    {
        var alive = new HashSet<string>(StringComparer.Ordinal) { Name };
        foreach (var path in Directory.EnumerateFiles(Path.GetDirectoryName(_database)!, Path.GetFileName(_database) + Infix + "*"))
        {
            if (path == _lock.Name) continue;
            using var held = TryLock(path, FileMode.Open);
            if (held is null && File.Exists(path)) alive.Add(path[(path.LastIndexOf('-') + 1)..]);
            else if (held is not null) File.Delete(path);
        }

        return alive;
    }

    public void Dispose()
    {
        File.Delete(_lock.Name);
        _lock.Dispose();
    }

    private static FileStream? TryLock(string path, FileMode mode)
    {
        try
        {
            return Lock(path, mode);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static FileStream Lock(string path, FileMode mode) => new(path, mode, FileAccess.ReadWrite, FileShare.None);
}
