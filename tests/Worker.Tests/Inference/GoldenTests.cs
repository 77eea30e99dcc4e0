using System.Text.Json;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Inference;

/// <summary>The bundled model against what the program that trained it computed (PyTorch).</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("Fp32", 1e-3)]
    [InlineData("Int8", 0.4)]
    public void BundledModel_TokenIdsAndLogits_EqualTheTrainersOwn(string precision, double tolerance)
    {
        var config = EncoderConfig.Read(TestModels.Bundled);
        var tokenizer = new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), TokenizerConfig.Read(TestModels.Bundled), config.MaxPositions);
        using var session = TestModels.OpenBundled(new(Enum.Parse<Precision>(precision)));
        var examples = Examples();
        Assert.True(examples.Length >= 10);

        var together = session.ComputeLogits([.. examples.Select(example => example.TokenIds)]);
        foreach (var ((text, tokenIds, logits), packed) in examples.Zip(together))
        {
            Assert.Equal(tokenIds, tokenizer.Encode(text).TokenIds);
            AssertClose(logits, session.ComputeLogits([tokenIds])[0], tolerance);
            AssertClose(logits, packed, tolerance);
        }
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance);
    }

    private static (string Text, int[] TokenIds, double[] Logits)[] Examples()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "golden.json")));
        return [.. json.RootElement.EnumerateArray().Select(example => (
            example.GetProperty("text").GetString()!,
            example.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()).ToArray(),
            example.GetProperty("logits").EnumerateArray().Select(logit => logit.GetDouble()).ToArray()))];
    }
}
