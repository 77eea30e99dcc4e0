using System.Diagnostics;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Packaging;

/// <summary>Runs the .NET SDK's own command.</summary>
internal static class DotnetCommand
{
    private const int MaxLines = 50;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(10);

    /// <summary>Runs it to its end.</summary>
    /// <param name="arguments">The command line behind <c>dotnet</c>.</param>
    /// <param name="purpose">What it is for, for the message of a failure: <c>publishing Worker</c>.</param>
    /// <param name="cancellationToken">Ends the process and its children.</param>
    /// <returns>Its last lines.</returns>
    /// <exception cref="DeploymentException">It failed; the message ends with its last lines.</exception>
    public static async Task<string> RunAsync(IReadOnlyList<string> arguments, string purpose, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        // Whoever is itself started by the SDK hands down variables that point a second one at the wrong files.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);

        var lines = new Queue<string>();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(lines, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(lines, line.Data);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw Failure(purpose, $"took longer than {Timeout.TotalMinutes:0} minutes", lines);
        }

        if (process.ExitCode != 0) throw Failure(purpose, $"ended with {process.ExitCode}", lines);
        lock (lines) return string.Join('\n', lines);
    }

    private static void Keep(Queue<string> lines, string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return;
        lock (lines)
        {
            lines.Enqueue(line.TrimEnd());
            if (lines.Count > MaxLines) lines.Dequeue();
        }
    }

    private static DeploymentException Failure(string purpose, string how, Queue<string> lines)
    {
        lock (lines)
        {
            return new(ExitCode.Failed,
                $"Building the images failed on this machine: {purpose} {how}. Nothing was changed on any host, and what ran there runs on. "
                + $"Mend what the last lines say, and run the command again.{Environment.NewLine}{string.Join(Environment.NewLine, lines)}");
        }
    }
}
