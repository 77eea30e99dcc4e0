namespace Lab.Worker.Compilation;

/// <summary>
/// Compiled models on disk, made once per host and shared by its workers, which map them into memory. An entry is a
/// directory: it is made beside its place and moved there when it is whole, under a lock that only one process holds;
/// the others wait and then find it. It is verified each time it is used, and made again when it is damaged.
/// </summary>
/// <param name="directory">Where the entries are: private to the user, made where it does not exist.</param>
/// <param name="maxBytes">Beyond this the entries used longest ago are deleted; one that is in use lives on until its users end.</param>
/// <param name="lockTimeout">How long to wait for another process that compiles.</param>
/// <param name="time">The clock.</param>
internal sealed class ModelCache(string directory, long maxBytes, TimeSpan lockTimeout, TimeProvider time)
{
    private const string LockName = ".lock";
    private const string UnfinishedPrefix = "unfinished-";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What a directory must not have whose files are believed.</summary>
    public const UnixFileMode OthersMayWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// <c>$XDG_CACHE_HOME/lab/models</c>, or <c>~/.cache/lab/models</c> (XDG Base Directory Specification); null where the
    /// user has no home.
    /// </summary>
    public static string? DefaultDirectory
    {
        get
        {
            var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            if (!Path.IsPathFullyQualified(cache ?? ""))
            {
                var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
                if (home.Length == 0) return null;
                cache = Path.Combine(home, ".cache");
            }

            return Path.Combine(cache!, "lab", "models");
        }
    }

    /// <summary>The hashes of large files, for all workers of the host: of the entries', and of what they are made of.</summary>
    public HashNotes Notes { get; init; } = new(directory, time);

    /// <summary>The directory of an entry that is there and whole, or null.</summary>
    /// <exception cref="UnauthorizedAccessException">Others may have put it there.</exception>
    public string? Find(string key)
    {
        var entry = Path.Combine(directory, key);
        if (!Directory.Exists(entry)) return null;
        RequirePrivate();
        if (!CacheManifest.Verify(entry, Notes)) return null;
        try
        {
            // Entries are deleted in the order of their last use.
            File.SetLastWriteTimeUtc(CacheManifest.PathIn(entry), time.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On a read-only file system the order is of no use either.
        }

        return entry;
    }

    /// <summary>The directory of an entry, made if there is none that is whole.</summary>
    /// <param name="key">The entry's name.</param>
    /// <param name="build">Writes the entry's files into the directory it is given.</param>
    /// <param name="cancellationToken">Ends the wait for the lock.</param>
    /// <exception cref="IOException">The cache cannot be used, with the reason.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache cannot be used, with the reason.</exception>
    /// <exception cref="TimeoutException">Another process has held the lock for too long.</exception>
    public string GetOrAdd(string key, Action<string> build, CancellationToken cancellationToken = default)
    {
        if (Find(key) is { } there) return there;
        MakeDirectory();
        using var @lock = Lock(cancellationToken);
        if (Find(key) is { } made) return made;
        // Whoever left these behind held the lock, and has ended.
        foreach (var unfinished in Directory.EnumerateDirectories(directory, UnfinishedPrefix + "*"))
            if (Guid.TryParseExact(Path.GetFileName(unfinished)[UnfinishedPrefix.Length..], "N", out _)) Directory.Delete(unfinished, recursive: true);
        var entry = Path.Combine(directory, key);
        var making = Path.Combine(directory, $"{UnfinishedPrefix}{Guid.NewGuid():N}");
        Directory.CreateDirectory(making);
        try
        {
            build(making);
            CacheManifest.Write(making);
            if (Directory.Exists(entry)) Directory.Delete(entry, recursive: true);
            Directory.Move(making, entry);
        }
        catch
        {
            if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
            throw;
        }

        Shrink(entry);
        return entry;
    }

    /// <summary>
    /// Deletes an entry that is whole and yet of no use. Whoever has it in use keeps it until he ends.
    /// </summary>
    /// <exception cref="IOException">It cannot be deleted, with the reason.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be deleted, with the reason.</exception>
    /// <exception cref="TimeoutException">Another process has held the lock for too long.</exception>
    public void Remove(string key, CancellationToken cancellationToken = default)
    {
        using var @lock = Lock(cancellationToken);
        var entry = Path.Combine(directory, key);
        if (Directory.Exists(entry)) Directory.Delete(entry, recursive: true);
    }

    private void MakeDirectory()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else if (!Directory.Exists(directory)) Directory.CreateDirectory(directory, OwnerOnly);
        RequirePrivate();
    }

    // What lies here is mapped and run: nobody else may have put it there.
    private void RequirePrivate()
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(directory) & OthersMayWrite) != 0)
            throw new UnauthorizedAccessException($"others than its owner may write to {directory}");
    }

    private FileStream Lock(CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, LockName);
        var waitedSince = time.GetTimestamp();
        while (true)
        {
            try
            {
                // FileShare.None is flock(2): gone with the process that holds it, however that ends.
                return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (IsHeld(e))
            {
                if (time.GetElapsedTime(waitedSince) > lockTimeout)
                    throw new TimeoutException($"another process has held {path} for {lockTimeout.TotalSeconds:F0} s");
                cancellationToken.WaitHandle.WaitOne(LockPoll);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    // EWOULDBLOCK of Linux and of the BSDs, ERROR_SHARING_VIOLATION of Windows: anything else is no reason to wait.
    private static bool IsHeld(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020);

    private void Shrink(string newest)
    {
        // Only what was made here is deleted: somebody may keep models of his own in this directory.
        var entries = Directory.EnumerateDirectories(directory).Where(CacheManifest.IsEntry)
            .Select(entry => (Path: entry, Bytes: Directory.EnumerateFiles(entry).Sum(file => new FileInfo(file).Length)))
            .OrderByDescending(entry => entry.Path == newest)
            .ThenByDescending(entry => File.GetLastWriteTimeUtc(CacheManifest.PathIn(entry.Path)))
            .ToList();
        long bytes = 0;
        foreach (var entry in entries)
        {
            bytes += entry.Bytes;
            if (bytes > maxBytes && entry.Path != newest) Directory.Delete(entry.Path, recursive: true);
        }
    }
}
