using System.Globalization;
using System.Runtime.InteropServices;

namespace Lab.ServiceDefaults.Starts;

/// <summary>
/// Hears stop signals from the process's first moment on: the host does so only once it is put together, and the first
/// process of a container ignores a signal that nobody hears. Whatever hangs then, the process ends.
/// </summary>
internal sealed partial class StopSignals : IDisposable
{
    /// <summary>How long everything that has begun may take to end where nothing is served.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(5);

    // Beside the host's own time for requests under way, 30 s by default; a stack file gives 40.
    private static readonly TimeSpan AfterServing = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _asked = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly PosixSignalRegistration[] _registrations;
    private TimeSpan _limit = StartLimit;
    private int _heard;

    public StopSignals() => _registrations = Array.ConvertAll([PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT], signal => PosixSignalRegistration.Create(signal, Hear));

    /// <summary>Canceled with the first signal.</summary>
    public CancellationToken Asked => _asked.Token;

    /// <summary>From now on requests are served, which may end within the host's time.</summary>
    /// <param name="shutdownTimeout">The host's.</param>
    public void Serves(TimeSpan shutdownTimeout) => _limit = shutdownTimeout + AfterServing;

    /// <summary>Ends the process if this has not been disposed after a time, whatever hangs, and without a word to native code, which may be in use.</summary>
    /// <param name="limit">The time.</param>
    /// <param name="exitCode">What the process ends with.</param>
    /// <param name="word">A line for standard error, where there is to be one.</param>
    public void EndWithin(TimeSpan limit, int exitCode, string? word = null)
    {
        // A thread of its own: the pool's may be what hangs.
        var thread = new Thread(() =>
        {
            if (_ended.Wait(limit)) return;
            if (word is not null) Console.Error.WriteLine(word);
            if (OperatingSystem.IsWindows()) Environment.Exit(exitCode);
            else ExitNow(exitCode);
        })
        { IsBackground = true, Name = "end" };
        thread.Start();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _ended.Set();
    }

    private void Hear(PosixSignalContext signal)
    {
        // The host hears it too, once it listens; here it only keeps the system from ending the process at once.
        signal.Cancel = true;
        if (Interlocked.Exchange(ref _heard, 1) == 1) return;
        // What a shell shows for a process that has ended by the signal: something has not ended by itself.
        EndWithin(_limit, signal.Signal switch { PosixSignal.SIGINT => 130, PosixSignal.SIGQUIT => 131, _ => 143 },
            string.Create(CultureInfo.InvariantCulture, $"Told to stop; something had not ended {_limit.TotalSeconds:0.#} s later, and the process ends all the same."));
        _asked.Cancel();
    }

    // exit(3) would run the destructors of native libraries under threads that may be in them.
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int status);
}
