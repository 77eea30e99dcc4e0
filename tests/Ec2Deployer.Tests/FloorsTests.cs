using System.Reflection;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Tests;

/// <summary>The deployer's folders are floors: each uses only those below its own, and none beside it.</summary>
public sealed partial class FloorsTests
{
    private static readonly string[][] Floors = [["Commands"], ["Fleet"], ["Aws", "Swarm"], ["Packaging", "Remote"], ["Planning"], ["Reporting"]];

    private static string Project => Path.Combine(
        typeof(FloorsTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == "SolutionDirectory").Value!, "Ec2Deployer");

    [Fact]
    public void Folders_EachFile_UsesOnlyFloorsBelow()
    {
        var files = Floors.SelectMany(floor => floor)
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Project, folder), "*.cs").Select(file => (Folder: folder, File: file)))
            .ToList();

        Assert.True(files.Count > 80, $"{files.Count} files in {Project}");
        Assert.Empty(files.SelectMany(one => Broken(one.Folder, File.ReadAllText(one.File)).Select(used => $"{Path.GetRelativePath(Project, one.File)} uses {used}")));
    }

    [Fact]
    public void Folders_All_HaveAFloor() => Assert.Equal(
        Floors.SelectMany(floor => floor).Order(StringComparer.Ordinal),
        Directory.EnumerateDirectories(Project).Select(directory => Path.GetFileName(directory)!).Where(name => name is not ("bin" or "obj")).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("Planning", "using Lab.Ec2Deployer.Fleet;")]
    [InlineData("Aws", "using Lab.Ec2Deployer.Swarm;")]
    [InlineData("Swarm", "var session = new Lab.Ec2Deployer.Fleet.FleetSession();")]
    public void Folders_UseOfAFloorAboveOrBeside_IsFound(string folder, string line) => Assert.Single(Broken(folder, $"using System;\n{line}\n"));

    private static IEnumerable<string> Broken(string folder, string source) => Use().Matches(source)
        .Select(match => match.Groups[1].Value)
        .Where(used => used != folder && FloorOf(used) <= FloorOf(folder));

    private static int FloorOf(string folder) => Array.FindIndex(Floors, floor => floor.Contains(folder));

    [GeneratedRegex(@"(?<!namespace )\bLab\.Ec2Deployer\.(\w+)")]
    private static partial Regex Use();
}
