using System.Globalization;
using System.Net;
using System.Text;

namespace Lab.Bench.Faults;

/// <summary>
/// Finds the process that listens on a worker's port (proc(5): <c>/proc/net/tcp</c> names the socket, <c>/proc/PID/fd</c> who
/// has it), and makes sure that it is a worker of this user: a proxy before the workers would listen there just as well.
/// </summary>
internal static class ListeningProcess
{
    private const string Program = "Worker";
    private const string Listening = "0A";

    /// <summary>Finds the process of a worker.</summary>
    /// <returns>Its id, or why it may not be harmed.</returns>
    public static (int? Pid, string? WhyNot) Find(WorkerPlace worker)
    {
        if (!OperatingSystem.IsLinux()) return (null, "Workers are found in /proc: on Linux only.");
        if (!IsLoopback(worker.Host)) return (null, $"{worker.Name} is on {worker.Host}, and only workers on this machine can be found by their ports.");
        var sockets = Sockets(worker.Port);
        if (sockets.Count == 0) return (null, $"Nobody listens on port {worker.Port} for {worker.Name} here.");
        var user = User("self");
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            var name = Path.GetFileName(directory);
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || !Has(directory, sockets)) continue;
            if (User(name) != user) return (null, $"{worker.Name} (process {pid}) belongs to another user.");
            return IsWorker(directory) ? (pid, null) : (null, $"On port {worker.Port} process {pid} ({CommandLine(directory)}) listens for {worker.Name}, and it is no worker: it is left alone.");
        }

        return (null, $"The process of {worker.Name} cannot be seen: it belongs to another user or runs in a container.");
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    // "sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode"
    private static HashSet<string> Sockets(int port)
    {
        var suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        return [.. ((string[])["/proc/net/tcp", "/proc/net/tcp6"]).Where(File.Exists).SelectMany(File.ReadLines)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length > 9 && parts[1].EndsWith(suffix, StringComparison.Ordinal) && parts[3] == Listening)
            .Select(parts => $"socket:[{parts[9]}]")];
    }

    private static bool Has(string directory, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(directory, "fd")).Any(file => new FileInfo(file).LinkTarget is { } target && sockets.Contains(target));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Ended while we looked, or not ours to look at.
            return false;
        }
    }

    private static string? User(string process)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal))?.Split('\t')[1];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsWorker(string directory) =>
        CommandLine(directory).Split(' ').Any(part => Path.GetFileNameWithoutExtension(part) == Program);

    private static string CommandLine(string directory)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(directory, "cmdline"))).TrimEnd('\0').Replace('\0', ' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
