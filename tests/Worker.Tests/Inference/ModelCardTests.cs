using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Inference;

/// <summary>What the bundled model's card says of its thirty sentences, in either precision.</summary>
public sealed class ModelCardTests
{
    [Theory]
    [InlineData("Fp32", 0.001)]
    [InlineData("Int8", 0.05)]
    public void Sentences_OfTheCard_HaveTheProbabilitiesAndLabelsThatItTells(string precision, double tolerance)
    {
        var config = EncoderConfig.Read(TestModels.Bundled);
        var tokenizer = new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), TokenizerConfig.Read(TestModels.Bundled), config.MaxPositions);
        using var session = TestModels.OpenBundled(new(Enum.Parse<Precision>(precision)));
        var rows = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "MODEL_CARD.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Where(cells => cells is [_, _, "positive" or "negative", _, _, _]).ToList();
        Assert.Equal(30, rows.Count);

        foreach (var cells in rows)
        {
            var logits = session.ComputeLogits([tokenizer.Encode(cells[1]).TokenIds])[0];
            var positive = 1 / (1 + Math.Exp(logits[0] - logits[1]));
            var told = double.Parse(cells[3], CultureInfo.InvariantCulture);
            Assert.Equal(told, positive, tolerance);
            Assert.Equal(told > 0.5, positive > 0.5);
            Assert.Equal(cells[4] == "yes", positive > 0.5 == (cells[2] == "positive"));
        }
    }
}
