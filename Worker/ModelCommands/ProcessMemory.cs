using System.Globalization;
using System.Runtime.InteropServices;

namespace Lab.Worker.ModelCommands;

/// <summary>Memory that this process has, in bytes.</summary>
/// <param name="Resident">All that is in memory.</param>
/// <param name="Mapped">How much of it is pages of files in the directory that was asked for: processes that map them have them together.</param>
internal sealed partial record ProcessMemory(long Resident, long Mapped)
{
    private const string Mappings = "/proc/self/smaps";

    /// <summary>Looks at this process's mappings (Linux, proc_pid_smaps(5)); elsewhere all counts as its own.</summary>
    /// <param name="directory">An absolute path.</param>
    public static ProcessMemory Measure(string? directory)
    {
        if (!OperatingSystem.IsLinux()) return new(Environment.WorkingSet, 0);
        long resident = 0, mapped = 0;
        var isMapped = false;
        foreach (var line in File.ReadLines(Mappings))
        {
            if (line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                var bytes = long.Parse(line.AsSpan("Rss:".Length, line.Length - "Rss:".Length - "kB".Length), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture) << 10;
                resident += bytes;
                if (isMapped) mapped += bytes;
            }
            else if (char.IsAsciiHexDigitLower(line[0]))
            {
                // Addresses, permissions, offset, device and inode stand before the path, which begins with a slash.
                isMapped = directory is not null && line.IndexOf('/', StringComparison.Ordinal) is > 0 and var path && line.AsSpan(path).StartsWith($"{directory}/", StringComparison.Ordinal);
            }
        }

        return new(resident, mapped);
    }

    /// <summary>Gives back what is not in use any more, of .NET's memory and of glibc's.</summary>
    public static void Trim()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl keeps less, and has no such function.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
