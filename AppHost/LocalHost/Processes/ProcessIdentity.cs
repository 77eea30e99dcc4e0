using System.Diagnostics;
using System.Globalization;

namespace Lab.AppHost.LocalHost.Processes;

/// <summary>A process that cannot be taken for a later one with the same id.</summary>
/// <param name="Id">The process id.</param>
/// <param name="Started">When it started, in a unit that only comparison gives a meaning to.</param>
internal readonly record struct ProcessIdentity(int Id, long Started)
{
    /// <summary>Whether this very process still runs; one that has ended and not been reaped does not.</summary>
    public bool IsAlive => Of(Id) == this;

    /// <summary>Who has this id now, or null.</summary>
    public static ProcessIdentity? Of(int id)
    {
        if (OperatingSystem.IsLinux())
            return ProcStat(id) is { } stat ? stat.Identity : null;
        try
        {
            using var process = Process.GetProcessById(id);
            return new ProcessIdentity(id, process.StartTime.ToUniversalTime().Ticks / TimeSpan.TicksPerSecond);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>The processes and all that descend from them, on Linux; elsewhere the processes alone.</summary>
    public static IReadOnlyList<ProcessIdentity> WithDescendants(IEnumerable<ProcessIdentity> roots)
    {
        var found = roots.Where(root => root.IsAlive).ToList();
        if (!OperatingSystem.IsLinux())
            return found;
        var children = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? ProcStat(id) : null)
            .OfType<(ProcessIdentity Identity, int Parent)>()
            .ToLookup(stat => stat.Parent, stat => stat.Identity);
        for (var next = 0; next < found.Count; next++)
            found.AddRange(children[found[next].Id].Except(found));
        return found;
    }

    // proc(5): the name, in parentheses, may contain anything; of what follows 0 is the state, 1 the parent, 19 the start.
    private static (ProcessIdentity Identity, int Parent)? ProcStat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X"
                ? null
                : (new ProcessIdentity(id, long.Parse(fields[19], CultureInfo.InvariantCulture)), int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
