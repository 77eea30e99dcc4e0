using System.Text.Json;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Checkpoints;

public sealed class RandomVocabularyTests
{
    [Theory]
    [InlineData(261)]
    [InlineData(300)]
    [InlineData(50_265)]
    public void WriteByteLevel_AnySize_EachMergeMakesATokenOfTwoBeforeIt(int size)
    {
        using var directory = new TemporaryDirectory();

        RandomVocabulary.WriteByteLevel(directory.Path, size);

        var ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(directory.File("vocab.json")))!;
        Assert.Equal(Enumerable.Range(0, size), ids.Values.Order());
        Assert.Equal((0, 1, 2, 3, size - 1), (ids["<s>"], ids["<pad>"], ids["</s>"], ids["<unk>"], ids["<mask>"]));
        // A space, and bytes that are no characters of their own (bytes_to_unicode of GPT-2).
        Assert.All((string[])["Ġ", "Ċ", "Ā", "ł", "Ń", "!", "a", "~", "¡", "ÿ"], token => Assert.InRange(ids[token], 4, 259));
        var merges = File.ReadAllLines(directory.File("merges.txt"));
        Assert.Equal("#version: 0.2", merges[0]);
        Assert.Equal(size - 261, merges.Length - 1);
        foreach (var (rank, merge) in merges[1..].Index())
        {
            var parts = merge.Split(' ');
            Assert.Equal(260 + rank, ids[parts[0] + parts[1]]);
            Assert.True(ids[parts[0]] < 260 + rank && ids[parts[1]] < 260 + rank);
        }
    }

    [Fact]
    public void Write_FewerTokensThanBytes_IsRefused()
    {
        using var directory = new TemporaryDirectory();

        Assert.Contains("vocab_size is 200; a tokenizer of bytes has at least 261 tokens", Assert.Throws<ModelDirectoryException>(
            () => RandomModelDirectory.Write(directory.Path, TestModels.SmallOf("roberta") with { VocabSize = 200 }, seed: 1)).Message, StringComparison.Ordinal);
    }
}
