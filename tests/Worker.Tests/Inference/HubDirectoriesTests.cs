using System.Text.Json.Nodes;
using Lab.Testing;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Inference;

/// <summary>
/// Directories shaped like much-used classifiers of the hub: the members of their configuration, the names and widths of
/// their tensors; fewer layers and words, and random numbers.
/// </summary>
public sealed class HubDirectoriesTests
{
    private const int Layers = 1;
    private const int Words = 600;

    // Longer than any of them reads.
    private static readonly string LongText = string.Concat(Enumerable.Repeat("so many words, ", 300));

    public static TheoryData<string> ServedNames => [.. HubConfigs.Served.Keys];

    public static TheoryData<string> RefusedNames => [.. HubConfigs.Refused.Keys];

    [Theory]
    [MemberData(nameof(ServedNames))]
    public void Open_ModelOfTheHub_LogitsEqualTheMathematics(string name)
    {
        using var directory = new TemporaryDirectory();
        var config = Write(directory, HubConfigs.Served[name]);
        var files = ModelFiles.Read(directory.Path);
        files.Weights.Dispose();
        TokenizedText[] texts = [files.Tokenizer.Encode("some good words"), files.Tokenizer.EncodePair("is it so?", "it is"), new([0, 7, 250, 2], Truncated: false, 4)];
        CheckLogits(directory.Path, config, texts);
    }

    [Theory]
    [InlineData("distilbert")]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void Open_TextsLongerThanAllPositions_LogitsOfWhatIsReadEqualTheMathematics(string modelType)
    {
        using var directory = TestModels.Write(TestModels.SmallOf(modelType) with { MaxPositions = EncoderConfig.StandardPositionRows });
        var (config, tokenizer, weights, _) = ModelFiles.Read(directory.Path);
        weights.Dispose();
        TokenizedText[] texts = [tokenizer.Encode(LongText), tokenizer.Encode("a few"), tokenizer.EncodePair("is it?", LongText), tokenizer.EncodePair(LongText, LongText), tokenizer.EncodePair("a", "")];

        Assert.Equal([true, false, true, true, false], texts.Select(text => text.Truncated));
        Assert.All((TokenizedText[])[texts[0], .. texts[2..4]], text => Assert.Equal(512, text.TokenIds.Length));
        CheckLogits(directory.Path, config, texts);
    }

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public async Task Serve_ModelOfTheHubThatCannotBeServed_SaysInALineWhatItIs(string name)
    {
        var (json, line) = HubConfigs.Refused[name];
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("config.json"), json);

        var run = await ServiceProcess.FailAsync(WorkerProgram.Path, [$"--Worker:ModelDirectory={directory.Path}"]);

        Assert.Equal((1, $"error: {directory.File("config.json")}: {line}\n"), (run.Code, run.Error));
    }

    // Alone and packed together.
    private static void CheckLogits(string directory, EncoderConfig config, IReadOnlyList<TokenizedText> texts)
    {
        var reference = new ReferenceEncoder(directory, config);
        using var session = TestModels.Open(directory, config, new(Precision.Fp32));
        foreach (var (text, logits) in texts.Zip(session.ComputeLogits(texts)))
        {
            Assert.Equal(session.ComputeLogits([text])[0], logits);
            foreach (var (expected, actual) in reference.Logits(text.TokenIds, text.SecondStart).Zip(logits)) Assert.Equal(expected, actual, 1e-4);
        }
    }

    private static EncoderConfig Write(TemporaryDirectory directory, HubConfig hub)
    {
        var json = JsonNode.Parse(hub.Json)!.AsObject();
        json["vocab_size"] = Words;
        json[json.ContainsKey("n_layers") ? "n_layers" : "num_hidden_layers"] = Layers;
        File.WriteAllText(directory.File("config.json"), json.ToJsonString());
        var config = EncoderConfig.Read(directory.Path);
        if (config.Tokenizer is TokenizerKind.ByteLevel) RandomVocabulary.WriteByteLevel(directory.Path, Words);
        else File.WriteAllLines(directory.File("vocab.txt"), RandomVocabulary.WordPieces(Words));
        var random = new Random(1);
        SafetensorsWriter.Write(directory.File("model.safetensors"), [.. EncoderTensors.Of(config), .. hub.Further.Select(tensor => new TensorShape(tensor, [1, 8]))], StoredType.F32, (tensor, values) =>
        {
            var centre = tensor.Role.EndsWith("norm.weight", StringComparison.Ordinal) ? 1f : 0f;
            // Whoever reads a tensor of no role says so.
            foreach (ref var value in values) value = tensor.Role.Length == 0 ? float.NaN : centre + 0.1f * (random.NextSingle() - 0.5f);
        });
        return config;
    }
}
