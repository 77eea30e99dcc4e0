using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

/// <summary>A model whose weights are in several files.</summary>
public sealed class ShardedWeightsTests
{
    [Fact]
    public void Read_AnyShardChanged_AnotherHash()
    {
        using var directory = new DirectoryWriter();
        directory.Shard();
        var hashes = new HashSet<string> { Hash() };
        foreach (var name in (string[])["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
        {
            using (var file = File.OpenWrite(directory.PathOf(name)))
            {
                file.Position = file.Length - 1;
                file.WriteByte(0x11);
            }

            Assert.True(hashes.Add(Hash()));
        }

        string Hash()
        {
            var files = ModelFiles.Read(directory.Path);
            files.Weights.Dispose();
            return files.Sha256;
        }
    }
}
