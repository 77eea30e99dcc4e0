using System.Reflection;

namespace Lab.ServiceDefaults.Tests.Floors;

/// <summary>Which folder may use which: read from the sources, so that a step back up is seen before it becomes a habit.</summary>
public sealed class FloorsTests
{
    /// <summary>The house; a project more is a line more.</summary>
    public static TheoryData<string, string> Houses => new()
    {
        { "Orchestrator", "Api | ClusterPage > Jobs | Workers > Dispatch" },
        { "Worker", "Api | ModelCommands > Inference > Compilation > Graphs | Tokenization > Checkpoints" },
        { "Ec2Deployer", "Commands > Fleet > Aws | Swarm > Packaging | Remote > Planning > Reporting" },
        { "ServiceDefaults", "Starts | Requests > Contracts/Predict | Contracts/OpenInference | Contracts/InferenceApi > Contracts/Description > Contracts | Telemetry | Access > Health" },
    };

    private static string Solution { get; } = typeof(FloorsTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(metadata => metadata.Key == "SolutionDirectory").Value!;

    [Theory]
    [MemberData(nameof(Houses))]
    public void Uses_OfEachFolder_GoDownOnly(string project, string floors)
    {
        var house = new House(project, floors);
        var sources = SourcesOf(project).ToList();
        Assert.NotEmpty(sources);
        Assert.Empty(house.Faults([.. house.UsesIn(sources)]));
    }

    [Theory]
    [InlineData("Dispatch/Planted.cs", "using Lab.Orchestrator.Workers;", "Dispatch uses Workers")]
    [InlineData("Jobs/Postgres/Planted.cs", "using static Lab.Orchestrator.Api.Prefer;", "Jobs uses Api")]
    [InlineData("ClusterPage/Parts/Planted.razor", "@using Lab.Orchestrator.Api", "ClusterPage uses Api")]
    [InlineData("Jobs/Planted.cs", "using Page = Lab.Orchestrator.ClusterPage.Live;", "Jobs uses ClusterPage")]
    [InlineData("Dispatch/Planted.cs", "var prefer = new Lab.Orchestrator.Api.Prefer();", "Dispatch uses Api")]
    [InlineData("Somewhere/Planted.cs", "using Lab.Orchestrator.Dispatch;", "the folder Somewhere stands on no floor")]
    public void Uses_PlantedUpwards_AreFaults(string path, string line, string fault)
    {
        var house = new House("Orchestrator", "Api | ClusterPage > Jobs | Workers > Dispatch");
        Assert.Contains(house.Faults([.. house.UsesIn([(path, line)])]), found => found == $"{path}: {fault}");
    }

    [Fact]
    public void Uses_OfTwoBesideEachOther_AreAFaultBothWaysOnly()
    {
        var house = new House("Worker", "Api > Graphs, Tokenization");
        (string, string) there = ("Graphs/A.cs", "using Lab.Worker.Tokenization;"), back = ("Tokenization/B.cs", "using Lab.Worker.Graphs;");
        Assert.Empty(house.Faults([.. house.UsesIn([there])]));
        Assert.Equal(["Graphs and Tokenization use each other"], house.Faults([.. house.UsesIn([there, back])]));
    }

    [Fact]
    public void Uses_OfAFolderInsideByTheOneAround_AreAFaultIfItHasAFloorOfItsOwn()
    {
        var house = new House("ServiceDefaults", "Contracts/Predict > Contracts");
        Assert.Equal(
            ["Contracts/Planted.cs: Contracts uses Contracts/Predict"],
            house.Faults([.. house.UsesIn([("Contracts/Planted.cs", "namespace Lab.ServiceDefaults.Contracts; using Lab.ServiceDefaults.Contracts.Predict;")])]));
    }

    private static IEnumerable<(string Path, string Text)> SourcesOf(string project)
    {
        var directory = Path.Combine(Solution, project);
        return Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".razor")
            .Select(file => (Path: Path.GetRelativePath(directory, file), Text: File.ReadAllText(file)))
            .Where(source => source.Path.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj" or "Properties"));
    }
}
