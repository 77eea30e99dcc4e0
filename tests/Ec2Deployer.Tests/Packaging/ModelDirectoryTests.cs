using Lab.Ec2Deployer.Packaging;

namespace Lab.Ec2Deployer.Tests.Packaging;

public sealed class ModelDirectoryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lab-model-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("vocab.txt")]
    [InlineData("tokenizer.json")]
    [InlineData("vocab.json", "merges.txt")]
    public void Problem_TokenizerOfAnyKind_IsNone(params string[] tokenizer) => Assert.Null(ProblemWith(tokenizer));

    [Theory]
    [InlineData]
    [InlineData("vocab.json")]
    [InlineData("merges.txt")]
    public void Problem_NoWholeTokenizer_NamesWhatThereMayBe(params string[] tokenizer) =>
        Assert.Equal("it has neither vocab.txt nor tokenizer.json, nor vocab.json with merges.txt", ProblemWith(tokenizer));

    private string? ProblemWith(string[] tokenizer)
    {
        File.WriteAllText(Path.Combine(_directory, "config.json"), "{}");
        File.WriteAllBytes(Path.Combine(_directory, "model.safetensors"), [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);
        foreach (var name in tokenizer) File.WriteAllText(Path.Combine(_directory, name), "");
        return ModelDirectory.Problem(_directory);
    }
}
