using System.Text.Json.Nodes;
using Lab.Bench.Commands;

namespace Lab.Bench.Tests.Commands;

/// <summary>The program's commands, run in this process with a directory of their own.</summary>
internal sealed class BenchRun : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("lab-bench-test-");

    public string Output { get; private set; } = "";

    public string Errors { get; private set; } = "";

    public string Reports => Path.Combine(_home.FullName, "report");

    public string Html => File.ReadAllText(Path.Combine(Reports, "report.html"));

    public JsonNode Result => JsonNode.Parse(File.ReadAllText(Path.Combine(Reports, "result.json")))!;

    /// <summary>A file that commands can be given.</summary>
    public string Write(string name, string content)
    {
        var path = Path.Combine(_home.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    public async Task<ExitCode> RunAsync(string command, Uri orchestrator, params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await BenchApp.RunAsync([command, "--url", orchestrator.ToString(), "--out", Reports, .. arguments],
            new(TextWriter.Synchronized(output), TextWriter.Synchronized(errors), false, TimeProvider.System), TestContext.Current.CancellationToken);
        Output = output.ToString();
        Errors = errors.ToString();
        return (ExitCode)code;
    }

    public void Dispose() => _home.Delete(recursive: true);
}
