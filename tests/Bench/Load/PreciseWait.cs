using System.Runtime.InteropServices;

namespace Lab.Bench.Load;

/// <summary>Sleeps shorter than <see cref="Thread.Sleep(int)"/> can: its millisecond would be in every latency of an open loop.</summary>
internal static partial class PreciseWait
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(20);

    /// <summary>Sleeps for a time, but no longer than 20 ms, so that the caller can look whether it is to end.</summary>
    public static void Sleep(TimeSpan time)
    {
        if (time <= TimeSpan.Zero) return;
        if (time > Longest) time = Longest;
        if (OperatingSystem.IsWindows())
        {
            Thread.Sleep(time);
            return;
        }

        var wanted = new TimeSpec { Seconds = 0, Nanoseconds = (nint)(time.Ticks * TimeSpan.NanosecondsPerTick) };
        // An early end (a signal) is no harm: the caller looks at the clock.
        _ = NanoSleep(in wanted, 0);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec wanted, nint remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
