using System.Diagnostics;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Commands;

/// <summary>Another program that a command hands its standard streams to.</summary>
internal static class ChildProgram
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    /// <summary>Runs it to its end. With <c>--progress json</c> each line of its standard error is a note.</summary>
    /// <param name="context">The command.</param>
    /// <param name="start">What is started.</param>
    /// <param name="cancellationToken">Ends the wait, not the program.</param>
    /// <returns>What it ended with.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
    public static async Task<ExitCode> RunAsync(CommandContext context, ProcessStartInfo start, CancellationToken cancellationToken)
    {
        context.Progress.Dispose();
        (start.UseShellExecute, start.RedirectStandardError) = (false, context.IsProgressJson);
        using var process = Process.Start(start)!;
        var notes = context.IsProgressJson ? NoteAsync(process.StandardError, context.Progress) : Task.CompletedTask;
        await process.WaitForExitAsync(cancellationToken);
        // Programs that it left behind may hold its standard error open for as long as they like.
        await Task.WhenAny(notes, Task.Delay(Rest, context.Time, cancellationToken));
        return (ExitCode)process.ExitCode;
    }

    private static async Task NoteAsync(StreamReader lines, CommandProgress progress)
    {
        while (await lines.ReadLineAsync(CancellationToken.None) is { } line)
            if (!string.IsNullOrWhiteSpace(line)) progress.Note(line);
    }
}
