using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands;
using Lab.Worker.ModelCommands.Hub;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>Models whose weights are in several files.</summary>
public sealed class PullShardTests : HubTests
{
    [Fact]
    public async Task Preview_Shards_HasTheHeaderOfEach()
    {
        AddShards("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        using var client = new HubClient(Hub.Endpoint, null);
        var (commit, files) = await client.FilesAsync(HubServer.Model, "main", Cancellation);
        string[] names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        var length = Hub.Files[names[0]].Length;
        var entries = 0;

        using var preview = await HubPreview.FetchAsync(HubServer.Model, files, new(client, HubServer.Model, commit, TimeProvider.System), directory =>
        {
            foreach (var name in names)
            {
                using var shard = SafetensorsFile.Open(System.IO.Path.Combine(directory, name));
                Assert.Equal(length, shard.FileBytes);
                entries += shard.Entries.Count;
            }
        }, Cancellation);

        Assert.Equal(names, preview.Weights.Select(file => file.Name));
        Assert.Equal(["config.json", "vocab.txt", "model.safetensors.index.json"], preview.Small.Select(file => file.Name));
        Assert.NotEqual(0, entries);
        Assert.InRange(Hub.WeightBytesSent, 1, length / 100);
    }

    [Fact]
    public async Task Pull_Shards_AreServedAsTheOneFileIs()
    {
        var names = Split();

        await PullAsync();

        LoadedModel.Check(Target.Path);
        Assert.Equal(["config.json", .. names, "model.safetensors.index.json", "vocab.txt"], Directory.EnumerateFileSystemEntries(Target.Path).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var name in names) Assert.Equal(Hub.Files[name], File.ReadAllBytes(Target.File(name)));
    }

    [Fact]
    public async Task Pull_ShardThatLacksATensor_IsRefusedByTheHeaders()
    {
        var last = Split()[^1];
        Hub.Files[last] = [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}'];

        await AssertRefusedAsync($"someone/tiny/{last}: tensor ");
    }

    [Theory]
    [InlineData("../evil.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("/etc/evil.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("a/b.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("a\\b.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("pytorch_model.bin", "which is not the name of a safetensors file of this directory")]
    public async Task Pull_ShardOfAnotherPlace_IsRefused(string name, string expected)
    {
        AddShards(name);

        await AssertRefusedAsync(expected);

        Assert.Equal(0, Hub.WeightBytesSent);
    }

    [Fact]
    public async Task Pull_ShardThatIsNotThere_IsNamed()
    {
        AddShards("model-00001-of-00001.safetensors");
        Hub.Files.Remove("model-00001-of-00001.safetensors");

        await AssertRefusedAsync("someone/tiny has no model-00001-of-00001.safetensors, which model.safetensors.index.json names");
    }
}
