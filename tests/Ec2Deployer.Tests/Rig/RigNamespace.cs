using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lab.Ec2Deployer.Tests.Rig;

/// <summary>Moves this process into a network namespace of its own, before anything else of it has begun.</summary>
internal static class RigNamespace
{
    /// <summary>The deployer's address in the namespace.</summary>
    public const string OwnAddress = "10.77.0.1";

    private const string Marker = "LAB_RIG_NAMESPACE";
    private const int CloneNewNet = 0x40000000;
    private static readonly string[] Tools = ["/usr/sbin/sshd", "/usr/sbin/dockerd", "/usr/bin/docker", "/usr/bin/sudo", "/usr/bin/unshare", "/usr/sbin/ip"];

    /// <summary>Why there can be no rig here, or null.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    /// <summary>
    /// Starts this program anew inside the namespace, as the same process: a thread that changes its namespace takes
    /// none of the others along, but one that executes a program replaces them all. Does nothing where there can be no rig.
    /// </summary>
    public static void Enter()
    {
        if (Obstacle is not null || Environment.GetEnvironmentVariable(Marker) is not null) return;
        if (Unshare(CloneNewNet) != 0) return;
        Run("ip link set lo up");
        Run("ip link add lab0 type bridge");
        Run($"ip address add {OwnAddress}/24 dev lab0");
        Run("ip link set lab0 up");

        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(pair => $"{pair.Key}={pair.Value}").Append($"{Marker}=1");
        var arguments = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        _ = Execute("/proc/self/exe", [.. arguments, null], [.. variables, null]);
        throw new InvalidOperationException($"This program cannot be executed again: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static string? FindObstacle()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess) return "The rig of real hosts needs root on Linux.";
        return Tools.FirstOrDefault(tool => !File.Exists(tool)) is { } missing
            ? $"The rig of real hosts needs {missing} (Debian: docker.io, openssh-server, sudo, iproute2)."
            : null;
    }

    private static void Run(string command)
    {
        var words = command.Split(' ');
        using var process = Process.Start(words[0], words[1..]);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command} ended with {process.ExitCode}.");
    }

    [DllImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static extern int Unshare(int flags);

    [DllImport("libc", EntryPoint = "execve", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Execute(string file, string?[] arguments, string?[] environment);
}
