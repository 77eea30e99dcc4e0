using System.Reflection;

namespace Lab.ServiceDefaults.Tests.Floors;

/// <summary>Which network a model is, only those folders know that read and build it.</summary>
public sealed class ArchitecturesTests
{
    [Theory]
    [InlineData("Worker/Inference")]
    [InlineData("Worker/Api")]
    [InlineData("Worker/Compilation")]
    [InlineData("Orchestrator")]
    public void Sources_AboveTheGraph_NameNoArchitecture(string folder)
    {
        var root = typeof(ArchitecturesTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "SolutionDirectory").Value!;
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".cs" or ".razor" or ".js" && !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        // DistilBERT, BERT, RoBERTa and their kin.
        Assert.DoesNotContain(files, path => File.ReadAllText(path).Contains("bert", StringComparison.OrdinalIgnoreCase));
    }
}
