using System.Runtime.InteropServices;

namespace Lab.Bench.Faults;

/// <summary>Harms workers on this machine by signals. Linux only: their processes are found in /proc.</summary>
internal sealed partial class LocalHarm : IWorkerHarm
{
    private const int Kill = 9;
    private const int Continue = 18;
    private const int Stop = 19;

    // Which process was frozen: by its port it is found again only if it still listens.
    private readonly Dictionary<string, int> _frozen = new(StringComparer.Ordinal);

    public string? WhyNot(WorkerPlace worker) => ListeningProcess.Find(worker).WhyNot;

    public Task KillAsync(WorkerPlace worker, CancellationToken cancellation)
    {
        Send(worker, Find(worker), Kill);
        return Task.CompletedTask;
    }

    public Task FreezeAsync(WorkerPlace worker, CancellationToken cancellation)
    {
        var pid = Find(worker);
        lock (_frozen) _frozen[worker.Name] = pid;
        Send(worker, pid, Stop);
        return Task.CompletedTask;
    }

    public Task ThawAsync(WorkerPlace worker, CancellationToken cancellation)
    {
        lock (_frozen)
        {
            if (_frozen.Remove(worker.Name, out var pid)) _ = SendSignal(pid, Continue);
        }

        return Task.CompletedTask;
    }

    private static int Find(WorkerPlace worker) =>
        ListeningProcess.Find(worker) is { Pid: { } pid } ? pid : throw new BenchException(ExitCode.Failed, ListeningProcess.Find(worker).WhyNot ?? $"{worker.Name} has just ended.");

    private static void Send(WorkerPlace worker, int pid, int signal)
    {
        if (SendSignal(pid, signal) != 0)
            throw new BenchException(ExitCode.Failed, $"{worker.Name} (process {pid}) could not be sent signal {signal}: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
