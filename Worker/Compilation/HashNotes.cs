using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Compilation;

/// <summary>
/// Hashes of large files, noted once they were computed, so that of the workers of a host one reads a file and the others
/// only look whether it is still the same. A note holds for one <see cref="FileState"/> and until the machine is started
/// again: what a program changes is found at the next start, what a disk loses at the first one after the machine's.
/// </summary>
/// <param name="directory">Where the notes lie, with the compiled models: only its owner may write there.</param>
/// <param name="time">The clock by which files are dated.</param>
internal sealed class HashNotes(string directory, TimeProvider time)
{
    /// <summary>Smaller files are hashed sooner than looked up.</summary>
    public const long MinNotedBytes = 8 << 20;

    private const string Prefix = ".hash-";
    private const int MaxNotes = 64;

    // The system dates files by a clock that ticks a few hundred times a second, some file systems once in two seconds: a
    // file younger than that can change again and keep its date.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(3);

    private static readonly string? Boot = ReadBoot();

    /// <summary>The size in bytes from which hashes are noted; less only in tests.</summary>
    public long NotedFrom { get; init; } = MinNotedBytes;

    /// <summary>The hash of a file: as it was noted, or else computed and noted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digits">How many hexadecimal digits the hash has, which also tells one kind of hash from another.</param>
    /// <param name="compute">Computes it, in lower-case hexadecimal.</param>
    public string Get(string path, int digits, Func<string> compute)
    {
        if (Boot is null || FileState.Of(path) is not { } state || state.Bytes < (ulong)NotedFrom) return compute();
        var note = NameOf(state, digits);
        if (Read(note, digits) is { } noted) return noted;
        var hash = compute();
        var age = time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(state.Written, state.Changed) / 1_000_000);
        // One that was changed while it was read has no hash to be noted.
        if (age > Settled && FileState.Of(path) == state) Write(note, hash);
        return hash;
    }

    private static string? ReadBoot()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string NameOf(FileState state, int digits)
    {
        var all = string.Create(CultureInfo.InvariantCulture,
            $"{digits}|{state.Device}|{state.Inode}|{state.Bytes}|{state.Written}|{state.Changed}|{Boot}");
        return Path.Combine(directory, Prefix + Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(all))));
    }

    private string? Read(string note, int digits)
    {
        try
        {
            if (!File.Exists(note) || !IsOurs()) return null;
            var text = File.ReadAllText(note);
            return text.Length == digits && text.All(char.IsAsciiHexDigitLower) ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Write(string note, string hash)
    {
        try
        {
            // The cache makes its directory, when it has something to put there.
            if (!Directory.Exists(directory) || !IsOurs()) return;
            foreach (var old in new DirectoryInfo(directory).EnumerateFiles(Prefix + "*").OrderByDescending(file => file.LastWriteTimeUtc).Skip(MaxNotes - 1)) old.Delete();
            // Renamed when it is whole: a reader never sees half of it.
            var writing = $"{note}.{Environment.ProcessId}";
            File.WriteAllText(writing, hash);
            File.Move(writing, note, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On a read-only or full file system each start hashes anew.
        }
    }

    private bool IsOurs() => OperatingSystem.IsWindows() || (File.GetUnixFileMode(directory) & ModelCache.OthersMayWrite) == 0;
}
