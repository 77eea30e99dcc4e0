using System.Reflection;
using Lab.Testing;

namespace Lab.Ec2Deployer.Tests.AspireCli;

/// <summary>The Aspire CLI before this solution's AppHost.</summary>
internal static class AspireCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>Runs it in a home of its own.</summary>
    /// <param name="home">Where the CLI and AppHost keep what they know.</param>
    /// <param name="config">Where the deployer keeps what it knows.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Its exit code, and what it wrote to both streams.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string home, string config, params string[] arguments)
    {
        var split = Array.IndexOf(arguments, "--") is >= 0 and var at ? at : arguments.Length;
        var environment = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToDictionary(name => name, _ => (string?)null);
        // The tool itself is found where it was restored.
        environment["DOTNET_CLI_HOME"] = Environment.GetEnvironmentVariable("DOTNET_CLI_HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        environment["NUGET_PACKAGES"] = Metadata("Packages");
        environment["HOME"] = home;
        environment["NO_COLOR"] = "1";
        environment["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true";
        environment["XDG_CONFIG_HOME"] = config;
        environment["AWS_EC2_METADATA_DISABLED"] = "true";
        environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
        environment["AWS_SECRET_ACCESS_KEY"] = "planted-secret-access-key";
        var run = await ChildProcess.RunAsync("dotnet",
            ["aspire", .. arguments[..split], "--apphost", Metadata("AppHostProject"), "--no-build", "--non-interactive", "--nologo", .. arguments[split..]],
            environment, Metadata("SolutionDirectory"), Limit);
        return (run.Code, run.Output + run.Error);
    }

    private static string Metadata(string key) => Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == key).Value!;
}
