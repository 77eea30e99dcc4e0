using System.Diagnostics;
using Lab.AppHost.LocalHost.Processes;

namespace Lab.AppHost.LocalHost;

/// <summary>The AppHost's end of the line to its watchdog. A watchdog that is itself killed is replaced.</summary>
internal sealed class WatchdogLine : IDisposable
{
    private const int MostReplacements = 5;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly HashSet<ProcessIdentity> _watched = [];
    private readonly Output _output;
    private Process? _process;
    private int _replacements;

    public WatchdogLine(Output output)
    {
        _output = output;
        lock (_gate)
            Start();
    }

    public void Watch(ProcessIdentity one) => Tell('+', one);

    public void Forget(ProcessIdentity one) => Tell('-', one);

    public void Dispose()
    {
        Process? process;
        lock (_gate)
            (process, _process) = (_process, null);
        if (process is null)
            return;
        process.StandardInput.Close();
        process.WaitForExit(Farewell);
        process.Dispose();
    }

    private void Start()
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(Runtime.Dotnet, [Runtime.AppHost, Watchdog.Argument]) { RedirectStandardInput = true },
            EnableRaisingEvents = true,
        };
        process.Exited += (_, _) => Replace(process);
        process.Start();
        process.StandardInput.AutoFlush = true;
        _process = process;
    }

    private void Replace(Process process)
    {
        lock (_gate)
        {
            if (_process != process)
                return;
            process.Dispose();
            _process = null;
            if (++_replacements > MostReplacements)
            {
                _output.Complain("The watchdog does not stay alive: if AppHost is killed, its services will stay.");
                return;
            }

            Start();
            foreach (var one in _watched)
                Write('+', one);
        }
    }

    private void Tell(char sign, ProcessIdentity one)
    {
        lock (_gate)
        {
            _ = sign == '+' ? _watched.Add(one) : _watched.Remove(one);
            Write(sign, one);
        }
    }

    private void Write(char sign, ProcessIdentity one)
    {
        try
        {
            _process?.StandardInput.WriteLine(Watchdog.Tell(sign, one));
        }
        catch (IOException)
        {
            // It has just ended; its replacement is told everything.
        }
    }
}
