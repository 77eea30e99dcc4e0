using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Tests.Packaging;

/// <summary>The image of Aspire's dashboard, from the package as NuGet has it.</summary>
public sealed class DashboardImageTests : IDisposable
{
    private static readonly PackedImage Orchestrator = new()
    {
        Reference = "localhost:1/lab-orchestrator:o1",
        Tag = "o1",
        Config = """{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/usr/bin"],"Entrypoint":["/app/Orchestrator"],"Cmd":["x"],"Labels":{"a":"b"}},"rootfs":{}}""",
        Layers = [new("base", "00aa", "00bb", 1), new("code", "00cc", "00dd", 1)],
    };

    private readonly string _state = Directory.CreateTempSubdirectory("lab-dashboard-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task BuildAsync_OnTwoMachines_IsTheSameImageUponTheBaseAlone()
    {
        using var http = new HttpClient();
        var (one, two) = (new ImageBuilder(SolutionDirectory.Find(), Path.Combine(_state, "one"), http), new ImageBuilder(SolutionDirectory.Find(), Path.Combine(_state, "two"), http));
        PutBase(one);
        PutBase(two);

        var first = await DashboardImage.BuildAsync(one, Orchestrator, Token);
        var second = await DashboardImage.BuildAsync(two, Orchestrator, Token);

        Assert.Equal((first.Reference, first.Config), (second.Reference, second.Config));
        Assert.Equal(first.Layers, second.Layers);
        Assert.StartsWith("localhost:1/lab-dashboard:", first.Reference, StringComparison.Ordinal);
        Assert.Equal(["base", "packages"], first.Layers.Select(layer => layer.Part));
        Assert.Equal("00aa", first.Layers[0].DiffId);
        var modes = Modes(Path.Combine(one.LayerDirectory, first.Layers[1].FileName));
        Assert.Equal(UnixFileMode.UserExecute, modes["app/Aspire.Dashboard"] & UnixFileMode.UserExecute);
        Assert.Equal(UnixFileMode.OtherRead, modes["app/Aspire.Dashboard"] & UnixFileMode.OtherRead);
        Assert.Equal(UnixFileMode.None, modes["app/appsettings.json"] & UnixFileMode.UserExecute);
        Assert.Contains(modes.Keys, name => name.StartsWith("app/wwwroot/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task BuildAsync_PackedBefore_FetchesNothing()
    {
        using var http = new HttpClient();
        var builder = new ImageBuilder(SolutionDirectory.Find(), _state, http);
        PutBase(builder);
        var first = await DashboardImage.BuildAsync(builder, Orchestrator, Token);
        Directory.Delete(Path.Combine(_state, "build"), recursive: true);

        var again = await DashboardImage.BuildAsync(builder, Orchestrator with { Layers = [Orchestrator.Layers[0], new("code", "00ee", "00ff", 1)] }, Token);

        Assert.Equal(first.Reference, again.Reference);
        Assert.False(Directory.Exists(Path.Combine(_state, "build")));
    }

    [Fact]
    public void Configure_OfTheBase_StartsTheDashboardAndNothingElse()
    {
        var config = JsonNode.Parse(DashboardImage.Configure(Orchestrator.Config, Orchestrator.Layers))!;

        Assert.Equal("""{"Env":["PATH=/usr/bin"],"Entrypoint":["/app/Aspire.Dashboard"],"WorkingDir":"/app"}""", config["config"]!.ToJsonString());
        Assert.Equal("""["sha256:00aa","sha256:00cc"]""", config["rootfs"]!["diff_ids"]!.ToJsonString());
    }

    // A layer of the base, as far as whoever looks whether it is there can tell.
    private static void PutBase(ImageBuilder builder)
    {
        Directory.CreateDirectory(builder.LayerDirectory);
        File.WriteAllText(Path.Combine(builder.LayerDirectory, Orchestrator.Layers[0].FileName), "x");
    }

    private static Dictionary<string, UnixFileMode> Modes(string layer)
    {
        using var file = new GZipStream(File.OpenRead(layer), CompressionMode.Decompress);
        using var tar = new TarReader(file);
        var modes = new Dictionary<string, UnixFileMode>(StringComparer.Ordinal);
        while (tar.GetNextEntry() is { } entry) modes[entry.Name] = entry.Mode;
        return modes;
    }
}
