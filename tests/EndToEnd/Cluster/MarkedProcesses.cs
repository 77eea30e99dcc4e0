using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Lab.EndToEnd.Cluster;

/// <summary>
/// Finds the processes of one run by a variable that all of them inherit, whoever their parent is now: what is left
/// behind is found as surely as what is wanted. Linux only: it reads /proc.
/// </summary>
internal sealed class MarkedProcesses
{
    public const string Variable = "LAB_TEST_RUN";

    public string Mark { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Every live process of the run with what its environment says of its name.</summary>
    public IReadOnlyList<(int Pid, string Service)> All()
    {
        var found = new List<(int, string)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) continue;
            try
            {
                var variables = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(directory, "environ"))).Split('\0');
                if (!variables.Contains($"{Variable}={Mark}")) continue;
                var service = variables.FirstOrDefault(v => v.StartsWith("OTEL_SERVICE_NAME=", StringComparison.Ordinal));
                found.Add((pid, service?["OTEL_SERVICE_NAME=".Length..] ?? ""));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Ended while we looked.
            }
        }

        return found;
    }

    public int PidOf(string service) => All().Single(process => process.Service == service).Pid;

    /// <summary>Ends whatever is left, so that a failed test leaves nothing to the next one.</summary>
    public void KillAll()
    {
        foreach (var (pid, _) in All())
        {
            try
            {
                using var process = Process.GetProcessById(pid);
                process.Kill();
            }
            catch (ArgumentException)
            {
                // Ended meanwhile.
            }
        }
    }
}
