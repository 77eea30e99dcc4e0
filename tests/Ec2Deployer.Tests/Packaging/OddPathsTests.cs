using System.Formats.Tar;
using System.IO.Compression;
using Lab.Ec2Deployer.Packaging;
using Lab.Ec2Deployer.Planning;
using Lab.Ec2Deployer.Reporting;

namespace Lab.Ec2Deployer.Tests.Packaging;

/// <summary>Names that mean something to MSBuild or tar, and links that lead nowhere or back.</summary>
public sealed class OddPathsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-odd, 50%; a=b 'ü' ").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("/home/ana/lab", "/home/ana/lab")]
    [InlineData("/a,b;c%20d e=f-ü", "/a%2cb%3bc%2520d e=f-ü")]
    [InlineData("/$(x)@(y)*?'\"", "/%24%28x%29%40%28y%29%2a%3f%27%22")]
    public void Escape_AnyPath_LeavesNothingToMsBuild(string path, string expected) => Assert.Equal(expected, BuildProperty.Escape(path));

    [Fact]
    public void PublishArguments_CommaAndEqualsSignInAPath_AreTheCompilersOwn()
    {
        var arguments = ImageBuilder.PublishArguments(ContainerProject.Worker, "/home/a,b=c", "/var/d,e", HostArchitecture.X64);

        Assert.Contains("-p:PathMap=/var/d%2c%2ce=/artifacts%2c/home/a%2c%2cb==c=/src", arguments);
        Assert.Contains("-p:PublishDir=/var/d%2ce/publish/Worker/", arguments);
    }

    [Theory]
    [InlineData("/home/a%20b/lab", "/var/lab", "'%20'", "Move the clone")]
    [InlineData("/home/a\"b/lab", "/var/lab", "'\"'", "Move the clone")]
    [InlineData("/home/lab", "/home/a;b/.config/lab/lab/build", "';'", "XDG_CONFIG_HOME")]
    public void RequireBuildable_WhatTheSdkCannotRead_IsToldBeforeItTries(string sources, string artifacts, params string[] words)
    {
        var failure = Assert.Throws<DeploymentException>(() => BuildProperty.RequireBuildable(sources, artifacts));

        Assert.All(words, word => Assert.Contains(word, failure.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/home/a;b,c d=e's 50% ü/lab", "/home/a,b c=d's 50% (x) ü & #1/.config/lab/lab/build")]
    public void RequireBuildable_WhatTheSdkReads_Passes(string sources, string artifacts) => BuildProperty.RequireBuildable(sources, artifacts);

    [Fact]
    public void Fingerprint_LinksThatLeadBackOrNowhere_AreReadOnce()
    {
        var project = Directory.CreateDirectory(Path.Combine(_directory, "A")).FullName;
        File.WriteAllText(Path.Combine(project, "A.csproj"), "<Project />");
        var elsewhere = Directory.CreateDirectory(Path.Combine(_directory, "elsewhere")).FullName;
        File.WriteAllText(Path.Combine(elsewhere, "Code.cs"), "one");
        File.CreateSymbolicLink(Path.Combine(project, ".#Program.cs"), "ana@laptop.1234:1764400000");
        Directory.CreateSymbolicLink(Path.Combine(project, "itself"), project);
        Directory.CreateSymbolicLink(Path.Combine(project, "up"), _directory);
        Directory.CreateSymbolicLink(Path.Combine(project, "shared"), elsewhere);
        Directory.CreateSymbolicLink(Path.Combine(elsewhere, "back"), project);
        Directory.CreateSymbolicLink(Path.Combine(project, "gone"), "/no/such/directory");
        File.CreateSymbolicLink(Path.Combine(project, "ping"), "pong");
        File.CreateSymbolicLink(Path.Combine(project, "pong"), "ping");

        var before = SourceFingerprint.Of(_directory, "A");
        File.WriteAllText(Path.Combine(elsewhere, "Code.cs"), "two");

        Assert.NotEqual(before, SourceFingerprint.Of(_directory, "A"));
    }

    [Fact]
    public void ModelFiles_LinkLeadsNowhere_IsNamed()
    {
        var link = File.CreateSymbolicLink(Path.Combine(_directory, "model.safetensors"), "../blobs/abc").FullName;

        var failure = Assert.Throws<DeploymentException>(() => PublishedFiles.ModelFiles(_directory).ToList());

        Assert.Contains($"{link} is a link to ../blobs/abc, where nothing is", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelFiles_LinkLeadsToAFile_IsTaken()
    {
        File.WriteAllText(Path.Combine(_directory, "blob"), "weights");
        File.CreateSymbolicLink(Path.Combine(_directory, "model.safetensors"), "blob");

        Assert.Equal(["blob", "model.safetensors"], PublishedFiles.ModelFiles(_directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(90)]
    [InlineData(120)]
    [InlineData(250)]
    public async Task WriteAsync_LongNames_AreWholeAndAlwaysTheSameBytes(int length)
    {
        var source = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(source, "text", TestContext.Current.CancellationToken);
        var name = $"app/Models/{new string('ü', length / 2)}/{new string('n', length)}";

        var layers = new[]
        {
            await LayerWriter.WriteAsync("model", [new(name, source, "model")], Path.Combine(_directory, "one"), TestContext.Current.CancellationToken),
            await LayerWriter.WriteAsync("model", [new(name, source, "model")], Path.Combine(_directory, "two"), TestContext.Current.CancellationToken),
        };

        Assert.Equal(layers[0], layers[1]);
        await using var layer = new GZipStream(File.OpenRead(Path.Combine(_directory, "one", layers[0].FileName)), CompressionMode.Decompress);
        await using var tar = new TarReader(layer);
        var names = new List<string>();
        while (await tar.GetNextEntryAsync(cancellationToken: TestContext.Current.CancellationToken) is { } entry) names.Add(entry.Name);
        Assert.Equal(["app/", "app/Models/", name[..(name.LastIndexOf('/') + 1)], name], names);
    }
}
