using System.Globalization;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tests.ModelCommands;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Inference;

/// <summary>What travels with a text changes nothing of its answer but the last bits: on real weights, for random ones hide it.</summary>
public sealed class NeighboursTests
{
    private const double MaxMove = 0.02;

    [Fact]
    public void ComputeLogits_BundledModelInEightBits_AnswersDoNotDependOnTheBatch()
    {
        var config = DistilBertConfig.Read(TestModels.Bundled);
        var tokenizer = new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), TokenizerConfig.Read(TestModels.Bundled), config.MaxPositions);
        using var session = TestModels.Open(TestModels.Bundled, config, new(Precision.Int8));
        int[][] texts = [.. LabelledSentences.Texts.Select(text => tokenizer.Encode(text).TokenIds)];
        double[] alone = [.. texts.Select(text => Positive(session.ComputeLogits([text])[0]))];
        var moves = new List<double>();

        foreach (var (size, seed) in ((int, int)[])[(8, 1), (8, 2), (8, 3), (32, 4)])
        {
            int[] order = [.. Enumerable.Range(0, texts.Length)];
            new Random(seed).Shuffle(order);
            foreach (var batch in order.Chunk(size))
            {
                var logits = session.ComputeLogits([.. batch.Select(i => texts[i])]);
                for (var i = 0; i < batch.Length; i++)
                {
                    var (before, now) = (alone[batch[i]], Positive(logits[i]));
                    moves.Add(Math.Abs(now - before));
                    // Between two labels the last bits may decide.
                    Assert.True(before >= 0.5 == now >= 0.5 || before is > 0.48 and < 0.52, $"{before} alone, {now} among others");
                }
            }
        }

        moves.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{texts.Length} texts moved by {moves[moves.Count / 2]:F6} in the median, {moves[^1]:F4} at most"));
        Assert.True(moves[^1] <= MaxMove, $"a probability moves by {moves[^1]}");
    }

    private static double Positive(float[] logits) => 1 / (1 + Math.Exp(logits[0] - logits[1]));
}
