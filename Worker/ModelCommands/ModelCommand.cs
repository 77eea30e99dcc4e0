using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Spectre.Console;

namespace Lab.Worker.ModelCommands;

/// <summary>What this program does with model directories other than serving one: <c>model pull</c> and so on.</summary>
internal static class ModelCommand
{
    /// <summary>The exit code when the command could not do what it was asked for.</summary>
    public const int FailureExitCode = 1;

    /// <summary>The exit code of a command that was told to stop, as a shell shows a process ended by SIGTERM.</summary>
    public const int InterruptedExitCode = 143;

    private const string Interrupted = "interrupted";

    // For what cannot be interrupted: the runtime, while it opens a model.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    /// <summary>Runs a command.</summary>
    /// <param name="args">The command line, beginning with <c>model</c>.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        // Tables and messages read the same in every locale.
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        // A table that is not seen on a terminal is not to be folded to the width of one.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 160;
        var root = new RootCommand("Lab's worker. Without a command it serves.")
        {
            new Command("model", "Fetches, checks, compiles, measures and makes model directories.")
            {
                PullCommand.Create(),
                CheckCommand.Create(),
                CompileCommand.Create(),
                BenchCommand.Create(),
                EvalCommand.Create(),
                MakeRandomCommand.Create(),
            },
        };
        using var interrupted = new CancellationTokenSource();
        var late = new TaskCompletionSource();
        // Its own handler falls over a second signal.
        var registrations = Array.ConvertAll([PosixSignal.SIGTERM, PosixSignal.SIGINT], signal => PosixSignalRegistration.Create(signal, Stop));
        var run = root.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = null }, interrupted.Token);
        await Task.WhenAny(run, late.Task);
        foreach (var registration in registrations) registration.Dispose();
        if (run.IsCompleted) return await run;
        Fail(Interrupted);
        return InterruptedExitCode;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (interrupted.IsCancellationRequested) return;
            interrupted.Cancel();
            _ = Task.Delay(StopLimit, CancellationToken.None).ContinueWith(_ => late.TrySetResult(), TaskScheduler.Default);
        }
    }

    /// <summary>Runs what a command does, and tells what goes wrong in one line.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> act)
    {
        try
        {
            return await act();
        }
        catch (OperationCanceledException)
        {
            Fail(Interrupted);
            return InterruptedExitCode;
        }
#pragma warning disable CA1031 // Whatever it is, the user wants one line: the runtime's errors, too little memory, a path that is none.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Fail(e.Message);
        }
    }

    /// <summary>The same for what does not wait.</summary>
    public static Task<int> GuardAsync(Func<int> act) => GuardAsync(() => Task.FromResult(act()));

    private static int Fail(string problem)
    {
        Console.Error.WriteLine($"error: {problem.ReplaceLineEndings(" ")}");
        return FailureExitCode;
    }
}
