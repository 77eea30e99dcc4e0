using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Lab.Bench.Faults;

/// <summary>
/// Harms workers through another program, which knows how to reach them (over Swarm, say). It is called as
/// <c>PROGRAM kill|freeze|thaw NAME HOST PORT</c>, ends with 0, and says on standard error what went wrong.
/// </summary>
internal sealed class ProgramHarm(string program) : IWorkerHarm
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public string? WhyNot(WorkerPlace worker) => null;

    public Task KillAsync(WorkerPlace worker, CancellationToken cancellation) => CallAsync("kill", worker, cancellation);

    public Task FreezeAsync(WorkerPlace worker, CancellationToken cancellation) => CallAsync("freeze", worker, cancellation);

    public Task ThawAsync(WorkerPlace worker, CancellationToken cancellation) => CallAsync("thaw", worker, cancellation);

    private async Task CallAsync(string harm, WorkerPlace worker, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        var start = new ProcessStartInfo(program, [harm, worker.Name, worker.Host, worker.Port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            try
            {
                var errors = await process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                if (process.ExitCode != 0) throw new BenchException(ExitCode.Failed, $"{program} {harm} {worker.Name} ended with {process.ExitCode}: {errors.Trim()}");
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                throw new BenchException(ExitCode.Failed, $"{program} {harm} {worker.Name} did not end within {Patience.TotalSeconds:0} s.");
            }
        }
        catch (Win32Exception e)
        {
            throw new BenchException(ExitCode.Usage, $"{program} cannot be started: {e.Message}", e);
        }
    }
}
