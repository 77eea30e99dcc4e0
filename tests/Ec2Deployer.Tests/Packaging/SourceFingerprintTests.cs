using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Tests.Packaging;

public sealed class SourceFingerprintTests : IDisposable
{
    private readonly string _sources = Directory.CreateTempSubdirectory("lab-sources-").FullName;

    public SourceFingerprintTests()
    {
        Write("A/A.csproj", """<Project><ItemGroup><ProjectReference Include="../B/B.csproj" /></ItemGroup></Project>""");
        Write("A/Program.cs", "a");
        Write("B/B.csproj", "<Project />");
        Write("B/deep/Code.cs", "b");
        Write("C/Other.cs", "c");
        Write("global.json", "{}");
    }

    public void Dispose() => Directory.Delete(_sources, recursive: true);

    [Theory]
    [InlineData("A/Program.cs", true)]
    [InlineData("B/deep/Code.cs", true)]
    [InlineData("B/New.cs", true)]
    [InlineData("global.json", true)]
    [InlineData("C/Other.cs", false)]
    [InlineData("A/obj/Generated.cs", false)]
    public void Of_AFileChanges_ChangesWhereTheProgramIsBuiltFromIt(string file, bool changes)
    {
        var before = SourceFingerprint.Of(_sources, "A", "base");
        Assert.Equal(before, SourceFingerprint.Of(_sources, "A", "base"));

        Write(file, "changed");

        Assert.Equal(changes, before != SourceFingerprint.Of(_sources, "A", "base"));
        Assert.NotEqual(before, SourceFingerprint.Of(_sources, "A", "another base"));
    }

    private void Write(string name, string content)
    {
        var path = Path.Combine(_sources, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
