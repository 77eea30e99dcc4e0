using System.Diagnostics;

namespace Lab.Worker.Tests;

/// <summary>The worker's program, run to its end.</summary>
internal static class WorkerProgram
{
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Worker.dll");

    public static Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) => RunAsync([], arguments);

    public static Task<(int Code, string Output, string Errors)> RunAsync((string Name, string? Value)[] environment, params string[] arguments) =>
        RunProgramAsync("dotnet", environment, [Path, .. arguments]);

    public static async Task<(int Code, string Output, string Errors)> RunProgramAsync(
        string program, (string Name, string? Value)[] environment, params string[] arguments)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(90), cancellationToken);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
