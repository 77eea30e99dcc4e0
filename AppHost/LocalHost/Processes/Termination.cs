using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lab.AppHost.LocalHost.Processes;

/// <summary>Ends processes with their descendants: SIGTERM first, SIGKILL for what is left when the grace is over.</summary>
internal static class Termination
{
    private const int Sigterm = 15;
    private const int Sigkill = 9;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>Returns when none of them is left, or when not even SIGKILL has ended them in two seconds.</summary>
    /// <param name="roots">The processes. Only they get SIGTERM at first: how they end their children is their affair.</param>
    /// <param name="grace">From SIGTERM to SIGKILL.</param>
    /// <param name="time">The clock.</param>
    /// <param name="hurry">Ends the grace.</param>
    /// <returns>How many had to be killed.</returns>
    public static async Task<int> EndAsync(IReadOnlyList<ProcessIdentity> roots, TimeSpan grace, TimeProvider time, CancellationToken hurry)
    {
        var all = ProcessIdentity.WithDescendants(roots);
        foreach (var root in roots)
            Signal(root, Sigterm);

        var begun = time.GetTimestamp();
        var orphans = false;
        while (all.Any(one => one.IsAlive) && time.GetElapsedTime(begun) < grace && !hurry.IsCancellationRequested)
        {
            if (!orphans && !roots.Any(root => root.IsAlive))
            {
                orphans = true;
                foreach (var one in all)
                    Signal(one, Sigterm);
            }

            await Task.Delay(Look, time, CancellationToken.None);
        }

        var killed = ProcessIdentity.WithDescendants(all);
        foreach (var one in killed)
            Signal(one, Sigkill);
        for (var look = 0; look < 40 && killed.Any(one => one.IsAlive); look++)
            await Task.Delay(Look, time, CancellationToken.None);
        return killed.Count;
    }

    private static void Signal(ProcessIdentity process, int signal)
    {
        if (!process.IsAlive)
            return;
        if (!OperatingSystem.IsWindows())
        {
            _ = Kill(process.Id, signal);
            return;
        }

        try
        {
            using var one = Process.GetProcessById(process.Id);
            one.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}
