using Lab.Testing;

namespace Lab.Worker.Tests;

/// <summary>The worker's program, run to its end.</summary>
internal static class WorkerProgram
{
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Worker.dll");

    public static Task<ProgramRun> RunAsync(params string[] arguments) => ChildProcess.RunAsync("dotnet", [Path, .. arguments]);

    public static Task<ProgramRun> RunAsync(string[] arguments, Dictionary<string, string?> environment) =>
        ChildProcess.RunAsync("dotnet", [Path, .. arguments], environment);
}
