using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Lab.EndToEnd.Cluster;

/// <summary>
/// Finds the processes of one run by a variable that all of them inherit, whoever their parent is now: what is left
/// behind is found as surely as what is wanted. Linux only: it reads /proc.
/// </summary>
internal sealed partial class MarkedProcesses
{
    public const string Variable = "LAB_TEST_RUN";
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;
    public const int Terminate = 15;

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

    public static void Signal(int pid, int signal) => Assert.Equal(0, SendSignal(pid, signal));

    /// <summary>Ends whatever is left, so that a failed test leaves nothing to the next one.</summary>
    public void KillAll()
    {
        foreach (var (pid, _) in All()) _ = SendSignal(pid, Kill);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
