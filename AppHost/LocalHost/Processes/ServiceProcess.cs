using System.Diagnostics;

namespace Lab.AppHost.LocalHost.Processes;

/// <summary>A running service and what it writes.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _output;

    /// <summary>Starts it.</summary>
    /// <param name="start">What to start, with all three streams redirected.</param>
    /// <param name="line">Takes every line it writes.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    public ServiceProcess(ProcessStartInfo start, Action<string> line)
    {
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.Exited += (_, _) => _ended.TrySetResult();
        _process.Start();
        Identity = ProcessIdentity.Of(_process.Id) ?? new ProcessIdentity(_process.Id, 0);
        _process.StandardInput.Close();
        _output = Task.WhenAll(PumpAsync(_process.StandardOutput, line), PumpAsync(_process.StandardError, line));
    }

    public ProcessIdentity Identity { get; }

    /// <summary>Completes when the process has ended; not Process.WaitForExitAsync, which also waits for children that hold its pipes.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Waits a moment for the last lines of an ended process, and tells how it ended.</summary>
    public async Task<(string Verdict, int? Code)> VerdictAsync(TimeProvider time)
    {
        await Task.WhenAny(Task.WhenAll(_ended.Task, _output), Task.Delay(LastWords, time));
        if (!_process.HasExited)
            return ("did not end even when killed", null);
        var code = _process.ExitCode;
        return (code switch
        {
            137 => "was killed (SIGKILL, exit code 137; out of memory?)",
            139 => "crashed (SIGSEGV, exit code 139)",
            134 => "crashed (SIGABRT, exit code 134)",
            _ => $"exited with code {code}",
        }, code);
    }

    public void Dispose() => _process.Dispose();

    private static async Task PumpAsync(StreamReader reader, Action<string> line)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } text)
                line(text);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The process was disposed of while a child of it still held the pipe.
        }
    }
}
