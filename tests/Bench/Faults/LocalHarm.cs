using System.Runtime.InteropServices;
using Lab.Bench.Machine;

namespace Lab.Bench.Faults;

/// <summary>Harms workers on this machine by signals. Linux only: their processes are found in /proc.</summary>
/// <param name="time">The clock.</param>
internal sealed class LocalHarm(TimeProvider time) : IWorkerHarm
{
    private static readonly TimeSpan Stopped = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Running = TimeSpan.FromMilliseconds(20);

    // Which process was frozen: by its port it is found again only if it still listens.
    private readonly Dictionary<string, int> _frozen = new(StringComparer.Ordinal);

    public string? WhyNot(WorkerPlace worker) => ListeningProcess.Find(worker).WhyNot;

    public Task KillAsync(WorkerPlace worker, CancellationToken cancellation)
    {
        Send(worker, Find(worker), Signal.Kill);
        return Task.CompletedTask;
    }

    public Task FreezeAsync(WorkerPlace worker, CancellationToken cancellation)
    {
        var pid = Find(worker);
        lock (_frozen) _frozen[worker.Name] = pid;
        Send(worker, pid, Signal.Stop);
        return Task.CompletedTask;
    }

    public async Task SlowAsync(WorkerPlace worker, TimeSpan duration, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        while (time.GetElapsedTime(begun) < duration)
        {
            await FreezeAsync(worker, cancellation);
            await Task.Delay(Stopped, time, cancellation);
            await ThawAsync(worker, cancellation);
            await Task.Delay(Running, time, cancellation);
        }
    }

    public Task ThawAsync(WorkerPlace worker, CancellationToken cancellation)
    {
        lock (_frozen)
        {
            if (_frozen.Remove(worker.Name, out var pid)) _ = Signal.Send(pid, Signal.Continue);
        }

        return Task.CompletedTask;
    }

    private static int Find(WorkerPlace worker) =>
        ListeningProcess.Find(worker) is { Pid: { } pid } ? pid : throw new BenchException(ExitCode.Failed, ListeningProcess.Find(worker).WhyNot ?? $"{worker.Name} has just ended.");

    private static void Send(WorkerPlace worker, int pid, int signal)
    {
        if (!Signal.Send(pid, signal))
            throw new BenchException(ExitCode.Failed, $"{worker.Name} (process {pid}) could not be sent signal {signal}: {Marshal.GetLastPInvokeErrorMessage()}.");
    }
}
