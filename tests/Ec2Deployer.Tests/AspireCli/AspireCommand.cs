using System.Diagnostics;
using System.Reflection;
using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Tests.AspireCli;

/// <summary>One call of the Aspire CLI before this solution's AppHost, to its end.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Output">What it wrote, to both streams.</param>
internal sealed record AspireCommand(int Code, string Output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>Where Lab.sln is, and the tool manifest.</summary>
    private static string SolutionDirectory { get; } = Metadata("SolutionDirectory");

    /// <summary>Runs it in a home of its own.</summary>
    /// <param name="home">Where the CLI and AppHost keep what they know.</param>
    /// <param name="prepare">Changes the process before it is started.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task<AspireCommand> RunAsync(string home, Action<ProcessStartInfo> prepare, params string[] arguments)
    {
        var split = Array.IndexOf(arguments, "--") is >= 0 and var at ? at : arguments.Length;
        var start = new ProcessStartInfo("dotnet",
        [
            "aspire", .. arguments[..split], "--apphost", Metadata("AppHostProject"), "--no-build", "--non-interactive", "--nologo", .. arguments[split..],
        ])
        {
            WorkingDirectory = SolutionDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The tool itself is found where it was restored.
        start.Environment["DOTNET_CLI_HOME"] = Environment.GetEnvironmentVariable("DOTNET_CLI_HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        start.Environment["NUGET_PACKAGES"] = Metadata("Packages");
        start.Environment["HOME"] = home;
        start.Environment["NO_COLOR"] = "1";
        start.Environment["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true";
        prepare(start);
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            process.StandardInput.Close();
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new(process.ExitCode, output + await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static string Metadata(string key) => Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == key).Value!;
}
