using System.Reflection;
using System.Text.Json;
using Xunit;

namespace Lab.Testing;

/// <summary>Programs of the npm registry, as <c>npm ci --prefix tests/Clients --ignore-scripts</c> installs them.</summary>
public static class NodeClients
{
    private static readonly Version RedoclyNeeds = new(20, 19);
    private static readonly Dictionary<string, string?> Quiet = new() { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" };

    private static string Home { get; } = typeof(NodeClients).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Clients").Value!;

    /// <summary>Runs a module of JavaScript that may import them; skips the test where they are not installed.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> EvaluateAsync(string module)
    {
        SkipUnlessInstalled();
        var run = await ChildProcess.RunAsync("node", ["--input-type=module", "--eval", module], directory: Home);
        Assert.True(run.Code == 0, run.Error);
        return run.Output.Trim();
    }

    /// <summary>Makes TypeScript's types of an OpenAPI document with openapi-typescript.</summary>
    public static Task<string> TypesOfAsync(string document) => WithFileAsync(document, async path =>
    {
        var run = await RunAsync("openapi-typescript", path);
        Assert.True(run.Code == 0, run.Output + run.Error);
        return run.Output;
    });

    /// <summary>What Redocly's linter says of an OpenAPI document, with its recommended rules.</summary>
    /// <returns>A line for each error or warning.</returns>
    public static Task<IReadOnlyList<string>> LintAsync(string document) => WithFileAsync<IReadOnlyList<string>>(document, async path =>
    {
        var node = (await ChildProcess.RunAsync("node", ["--version"])).Output.Trim();
        Assert.SkipWhen(Version.Parse(node.TrimStart('v')) < RedoclyNeeds, $"Redocly's linter needs Node.js {RedoclyNeeds}, and this is {node}.");
        var run = await RunAsync("redocly", "lint", "--format=json", "--max-problems=1000", path);
        using var report = JsonDocument.Parse(run.Output);
        return [.. report.RootElement.GetProperty("problems").EnumerateArray().Select(problem => problem.GetProperty("message").GetString()!)];
    });

    private static async Task<T> WithFileAsync<T>(string document, Func<string, Task<T>> use)
    {
        SkipUnlessInstalled();
        var directory = Directory.CreateTempSubdirectory("lab-openapi-");
        try
        {
            var path = Path.Combine(directory.FullName, "openapi.json");
            await File.WriteAllTextAsync(path, document, TestContext.Current.CancellationToken);
            return await use(path);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static Task<ProgramRun> RunAsync(string program, params string[] arguments) =>
        ChildProcess.RunAsync(Path.Combine(Home, "node_modules", ".bin", program), arguments, Quiet);

    private static void SkipUnlessInstalled() => Assert.SkipUnless(
        Environment.GetEnvironmentVariable("CI") == "true" || Directory.Exists(Path.Combine(Home, "node_modules")),
        "The npm registry's clients are not installed (npm ci --prefix tests/Clients --ignore-scripts).");
}
