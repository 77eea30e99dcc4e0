using System.Formats.Tar;
using System.IO.Compression;
using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Tests.Packaging;

public sealed class LayerWriterTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-layers-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task WriteAsync_SameFilesAtAnotherTime_GivesTheSameBytes()
    {
        var first = await WriteAsync("one", DateTime.UtcNow);
        var second = await WriteAsync("two", new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        Assert.Equal(first, second);
        Assert.Single(Directory.GetFiles(Path.Combine(_directory, "layers")));
    }

    [Fact]
    public async Task WriteAsync_Layer_HoldsDirectoriesAndFilesWithoutTimesOrOwners()
    {
        var layer = await WriteAsync("one", DateTime.UtcNow);

        await using var file = new GZipStream(File.OpenRead(Path.Combine(_directory, "layers", layer.FileName)), CompressionMode.Decompress);
        await using var tar = new TarReader(file);
        var entries = new List<TarEntry>();
        while (await tar.GetNextEntryAsync(copyData: true, cancellationToken: TestContext.Current.CancellationToken) is { } entry) entries.Add(entry);
        Assert.Equal(["app/", "app/a.dll", "app/start"], entries.Select(entry => entry.Name));
        Assert.All(entries, entry => Assert.Equal((DateTimeOffset.UnixEpoch, 0, 0), (entry.ModificationTime, entry.Uid, entry.Gid)));
        Assert.Equal([false, true], entries.Skip(1).Select(entry => entry.Mode.HasFlag(UnixFileMode.OtherExecute)));
    }

    [Fact]
    public async Task KeepAsync_CompressedLayer_KeepsItsBytesAndNamesItByItsContent()
    {
        var written = await WriteAsync("one", DateTime.UtcNow);
        var path = Path.Combine(_directory, "layers", written.FileName);
        await using var source = new MemoryStream(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));

        var kept = await LayerWriter.KeepAsync(source, Path.Combine(_directory, "kept"), CancellationToken.None);

        Assert.Equal(written with { Part = "base" }, kept);
        Assert.Equal(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken), await File.ReadAllBytesAsync(Path.Combine(_directory, "kept", kept.FileName), TestContext.Current.CancellationToken));
    }

    private async Task<ImageLayer> WriteAsync(string name, DateTime written)
    {
        var directory = Directory.CreateDirectory(Path.Combine(_directory, name)).FullName;
        foreach (var (file, mode) in (ReadOnlySpan<(string, UnixFileMode)>)[("a.dll", (UnixFileMode)0x1a4), ("start", (UnixFileMode)0x1ed)])
        {
            var path = Path.Combine(directory, file);
            File.WriteAllText(path, file);
            File.SetLastWriteTimeUtc(path, written);
            File.SetUnixFileMode(path, mode);
        }

        return await LayerWriter.WriteAsync("code",
            [new("app/a.dll", Path.Combine(directory, "a.dll"), "code"), new("app/start", Path.Combine(directory, "start"), "code")],
            Path.Combine(_directory, "layers"), CancellationToken.None);
    }
}
