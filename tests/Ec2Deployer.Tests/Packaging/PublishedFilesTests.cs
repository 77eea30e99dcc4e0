using System.Text;
using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Tests.Packaging;

public sealed class PublishedFilesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-published-").FullName;

    public PublishedFilesTests()
    {
        Write("Worker.deps.json", """
            {
              "targets": { "net": {
                "Worker/1.0.0": { "runtime": { "Worker.dll": {} } },
                "Some.Package/1.0.0": { "runtime": { "lib/net10.0/Some.dll": {} }, "native": { "runtimes/linux-x64/native/libsome.so": {} } }
              } },
              "libraries": { "Worker/1.0.0": { "type": "project" }, "Some.Package/1.0.0": { "type": "package" } }
            }
            """);
        foreach (var file in (string[])["Worker.dll", "Worker.pdb", "Some.dll", "libsome.so", "Models/tiny/config.json"]) Write(file, file);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void List_PublishedProgram_TellsItsFilesApartByHowOftenTheyChange()
    {
        var files = PublishedFiles.List(ContainerProject.Worker, _directory, model: null);

        Assert.Equal(
            ["model app/Models/tiny/config.json", "packages app/Some.dll", "code app/Worker.deps.json", "code app/Worker.dll", "packages app/libsome.so"],
            files.Select(file => $"{file.Part} {file.Path}"));
    }

    [Fact]
    public void List_ModelOfTheUsers_ReplacesTheBundledOne()
    {
        Write("other/model.safetensors", "weights");

        var files = PublishedFiles.List(ContainerProject.Worker, _directory, Path.Combine(_directory, "other"));

        Assert.Equal(["app/Models/other/model.safetensors"], files.Where(file => file.Part == "model").Select(file => file.Path));
    }

    [Fact]
    public void Identity_SameFiles_IsTheSameUntilAFileOrTheBaseChanges()
    {
        string Identity(string baseDigest) => PublishedFiles.Identity(PublishedFiles.List(ContainerProject.Worker, _directory, model: null), baseDigest);
        var first = Identity("sha256:1");

        Assert.Equal(first, Identity("sha256:1"));
        Assert.NotEqual(first, Identity("sha256:2"));
        Write("Worker.dll", "changed");
        Assert.NotEqual(first, Identity("sha256:1"));
        Assert.Matches("^[0-9a-f]{16}$", first);
    }

    [Fact]
    public void Identity_ListOfAssets_DoesNotDependOnWhenTheyWereWritten()
    {
        string Identity(string written, string tag)
        {
            Write("Worker.staticwebassets.endpoints.json", $$"""
                {"Version":1,"Endpoints":[{"Route":"a.css","ResponseHeaders":[{"Name":"ETag","Value":"{{tag}}"},{"Name":"Last-Modified","Value":"{{written}}"}]},{"Route":"b"}]}
                """);
            return PublishedFiles.Identity(PublishedFiles.List(ContainerProject.Worker, _directory, model: null), "sha256:1");
        }

        var first = Identity("Fri, 27 Nov 2026 02:20:18 GMT", "one");

        Assert.Equal(first, Identity("Fri, 27 Nov 2026 02:23:22 GMT", "one"));
        Assert.NotEqual(first, Identity("Fri, 27 Nov 2026 02:20:18 GMT", "two"));
    }

    [Theory]
    [InlineData("torn {")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"Endpoints":5}""")]
    public void AssetList_SomethingElse_IsLeftAsItIs(string text) =>
        Assert.Equal(text, Encoding.UTF8.GetString(AssetList.WithoutTimes(Encoding.UTF8.GetBytes(text))));

    private void Write(string name, string content)
    {
        var path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
