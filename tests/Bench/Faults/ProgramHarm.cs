using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lab.Bench.Commands;

namespace Lab.Bench.Faults;

/// <summary>
/// Harms workers through another program, which knows how to reach them (over Swarm, say). It is called as
/// <c>PROGRAM kill|freeze|slow|thaw NAME HOST PORT</c>, ends with 0, and says on standard error what went wrong.
/// </summary>
/// <param name="program">The program, and what stands before those words on its command line.</param>
/// <param name="time">The clock.</param>
internal sealed class ProgramHarm(IReadOnlyList<string> program, TimeProvider time) : IWorkerHarm
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Reads what a user names: a program, or a list in JSON of a program and its first arguments.</summary>
    /// <returns>At least one word; <c>null</c> where it begins as a list and is none.</returns>
    public static IReadOnlyList<string>? Read(string text)
    {
        if (text.Length == 0) return null;
        if (text[0] != '[') return [text];
        try
        {
            return JsonSerializer.Deserialize<string[]>(text) is { Length: > 0 } words && !Array.Exists(words, string.IsNullOrEmpty) ? words : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public string? WhyNot(WorkerPlace worker) => null;

    public Task KillAsync(WorkerPlace worker, CancellationToken cancellation) => CallAsync("kill", worker, cancellation);

    public Task FreezeAsync(WorkerPlace worker, CancellationToken cancellation) => CallAsync("freeze", worker, cancellation);

    public async Task SlowAsync(WorkerPlace worker, TimeSpan duration, CancellationToken cancellation)
    {
        await CallAsync("slow", worker, cancellation);
        await Task.Delay(duration, time, cancellation);
    }

    public Task ThawAsync(WorkerPlace worker, CancellationToken cancellation) => CallAsync("thaw", worker, cancellation);

    private async Task CallAsync(string harm, WorkerPlace worker, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        var start = new ProcessStartInfo(program[0], [.. program.Skip(1), harm, worker.Name, worker.Host, worker.Port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Whoever harms workers has its own way to them, and no need of the key.
        start.Environment.Remove(Settings.KeyVariable);
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            try
            {
                var errors = await process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                if (process.ExitCode != 0) throw new BenchException(ExitCode.Failed, $"{program[0]} {harm} {worker.Name} ended with {process.ExitCode}: {errors.Trim()}");
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                throw new BenchException(ExitCode.Failed, $"{program[0]} {harm} {worker.Name} did not end within {Patience.TotalSeconds:0} s.");
            }
        }
        catch (Win32Exception e)
        {
            throw new BenchException(ExitCode.Usage, $"{program[0]} cannot be started: {e.Message}", e);
        }
    }
}
