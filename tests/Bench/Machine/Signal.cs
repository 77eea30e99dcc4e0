using System.Runtime.InteropServices;

namespace Lab.Bench.Machine;

/// <summary>Signals to other processes, by Linux's numbers for them.</summary>
internal static partial class Signal
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends one.</summary>
    /// <returns>Whether it was sent; if not, <see cref="Marshal.GetLastPInvokeErrorMessage"/> says why.</returns>
    public static bool Send(int pid, int signal) => SendSignal(pid, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
