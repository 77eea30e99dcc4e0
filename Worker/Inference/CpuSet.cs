using System.Globalization;
using System.Runtime.InteropServices;

namespace Lab.Worker.Inference;

/// <summary>Cores of the machine, by Linux's numbers, and threads tied to them.</summary>
internal static partial class CpuSet
{
    // glibc's CPU_SETSIZE: 1,024 cores.
    private const int MaskBytes = 128;

    /// <summary>The highest number a core can have.</summary>
    public const int MaxCore = MaskBytes * 8 - 1;

    /// <summary>Reads a list such as <c>0,2-3</c>, as taskset and Docker's <c>--cpuset-cpus</c> write it.</summary>
    /// <returns>The cores in order, each once, or null if it is no such list.</returns>
    public static IReadOnlyList<int>? Parse(string text)
    {
        var cores = new SortedSet<int>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !Core(ends[0], out var first) || !Core(ends[^1], out var last) || first > last) return null;
            cores.UnionWith(Enumerable.Range(first, last - first + 1));
        }

        return [.. cores];

        static bool Core(string digits, out int core) =>
            int.TryParse(digits.AsSpan().Trim(' '), NumberStyles.None, CultureInfo.InvariantCulture, out core) && core <= MaxCore;
    }

    /// <summary>Reads a place among the cores, such as <c>#1</c>.</summary>
    /// <returns>The place, from 0, or null if it is none.</returns>
    public static int? Place(string text) =>
        text.AsSpan().Trim(' ') is ['#', .. var digits] && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place <= MaxCore
            ? place
            : null;

    /// <summary>The core at a place, begun again after the last.</summary>
    public static int At(int place, IReadOnlyList<int> cores) => cores[place % cores.Count];

    /// <summary>The cores on which the calling thread may run: the container's, where it is in one.</summary>
    /// <exception cref="PlatformNotSupportedException">Not on Linux.</exception>
    public static IReadOnlyList<int> Allowed()
    {
        Require();
        var mask = new byte[MaskBytes];
        if (GetAffinity(0, MaskBytes, mask) < 0) throw new InvalidOperationException($"sched_getaffinity: {Marshal.GetLastPInvokeErrorMessage()}");
        return [.. Enumerable.Range(0, MaskBytes * 8).Where(core => (mask[core / 8] >> (core % 8) & 1) != 0)];
    }

    /// <summary>Ties the calling thread, and native threads that it starts from now on, to these cores.</summary>
    /// <exception cref="InvalidOperationException">The system refuses.</exception>
    /// <exception cref="PlatformNotSupportedException">Not on Linux.</exception>
    public static void Pin(IEnumerable<int> cores)
    {
        Require();
        var mask = new byte[MaskBytes];
        foreach (var core in cores) mask[core / 8] |= (byte)(1 << (core % 8));
        if (SetAffinity(0, MaskBytes, mask) != 0) throw new InvalidOperationException($"sched_setaffinity: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Writes cores as <see cref="Parse"/> reads them.</summary>
    public static string Describe(IReadOnlyList<int> cores)
    {
        var parts = new List<string>();
        for (int i = 0, end; i < cores.Count; i = end)
        {
            for (end = i + 1; end < cores.Count && cores[end] == cores[end - 1] + 1;) end++;
            parts.Add(end == i + 1 ? $"{cores[i]}" : $"{cores[i]}-{cores[end - 1]}");
        }

        return string.Join(',', parts);
    }

    private static void Require()
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("Threads are tied to cores on Linux only.");
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nint size, [Out] byte[] mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nint size, byte[] mask);
}
