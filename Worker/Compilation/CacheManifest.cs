using System.IO.Hashing;
using System.Text.Json;

namespace Lab.Worker.Compilation;

/// <summary>
/// What a cache entry's files must be: size and XXH128 of each, written last. The hash is to find damage, and so at the
/// memory's speed; against malice there is the directory, which is the user's alone.
/// </summary>
internal static class CacheManifest
{
    private const string Name = "manifest.json";
    private const int MaxBytes = 1 << 16;
    private const int HashDigits = 32;

    /// <summary>The manifest of an entry.</summary>
    public static string PathIn(string entry) => Path.Combine(entry, Name);

    /// <summary>Writes the manifest of the files that are there.</summary>
    public static void Write(string entry)
    {
        var files = Directory.EnumerateFiles(entry).ToDictionary(file => Path.GetFileName(file), file => Describe(file, notes: null));
        File.WriteAllText(PathIn(entry), JsonSerializer.Serialize(files));
    }

    /// <summary>Whether every file is as it was written.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="notes">What is known of files that have not changed since, or null: every file is read.</param>
    public static bool Verify(string entry, HashNotes? notes)
    {
        try
        {
            return Read(entry) is { Count: > 0 } files && files.All(file => file.Value is not null && Path.GetFileName(file.Key) == file.Key
                && Path.Combine(entry, file.Key) is var path
                && new FileInfo(path) is { Exists: true } info && info.Length == file.Value.Bytes
                && Describe(path, notes) == file.Value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether this is a cache entry, whole or not, and no directory of somebody else's.</summary>
    public static bool IsEntry(string directory)
    {
        try
        {
            return Read(directory) is { Count: > 0 } files && files.Values.All(file => file?.Xxh128?.Length == HashDigits);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    private static Dictionary<string, FileDescription?>? Read(string entry)
    {
        var manifest = new FileInfo(PathIn(entry));
        if (!manifest.Exists || manifest.Length > MaxBytes) return null;
        return JsonSerializer.Deserialize<Dictionary<string, FileDescription?>>(File.ReadAllText(manifest.FullName));
    }

    private static FileDescription Describe(string path, HashNotes? notes) =>
        new(new FileInfo(path).Length, notes is null ? Hash(path) : notes.Get(path, HashDigits, () => Hash(path)));

    private static string Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var hash = new XxHash128();
        // Small enough to stay in the processor's cache between reading and hashing.
        var buffer = new byte[1 << 17];
        while (file.Read(buffer) is > 0 and var read) hash.Append(buffer.AsSpan(0, read));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private sealed record FileDescription(long Bytes, string Xxh128);
}
