using System.Runtime.InteropServices;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tests.ModelCommands;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Inference;

/// <summary>
/// What travels with a text changes no bit of its answer: with real weights, where one bit moves an answer by hundredths, and
/// with random ones of other shapes. On processors other than x86-64 the runtime may add up in another order.
/// </summary>
public sealed class NeighboursTests
{
    private static readonly double MaxMove = RuntimeInformation.ProcessArchitecture is Architecture.X64 ? 0 : 0.02;

    [Fact]
    public void ComputeLogits_BundledModelInEightBits_AnswersDoNotDependOnTheBatch()
    {
        var config = DistilBertConfig.Read(TestModels.Bundled);
        var tokenizer = new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), TokenizerConfig.Read(TestModels.Bundled), config.MaxPositions);
        using var session = TestModels.OpenBundled(new(Precision.Int8));
        int[][] texts = [.. LabelledSentences.Texts.Select(text => tokenizer.Encode(text).TokenIds)];

        AssertIndependent(session, texts, [(8, 1), (8, 2), (8, 3), (32, 4)]);
    }

    [Theory]
    [InlineData("Int8", 2, 64, 8)]
    [InlineData("Int8", 12, 384, 32)]
    [InlineData("Int8", 12, 384, 2, 2)]
    [InlineData("Int8", 12, 768, 64)]
    [InlineData("Fp32", 2, 24, 12)]
    [InlineData("Fp32", 12, 384, 32)]
    [InlineData("Fp32", 12, 768, 64)]
    public void ComputeLogits_AnyLengthsAndShape_AnswersDoNotDependOnTheBatch(string precision, int heads, int dim, int labels, int threads = 1)
    {
        var config = TestModels.Small with
        {
            Dim = dim,
            HiddenDim = 2 * dim,
            Heads = heads,
            MaxPositions = 300,
            Labels = [.. Enumerable.Range(0, labels).Select(i => $"L{i}")],
        };
        using var directory = TestModels.Write(config);
        using var session = TestModels.Open(directory.Path, config, new(Enum.Parse<Precision>(precision), threads));
        var random = new Random(dim);
        // Mostly short ones, and some that fill a pack or need one of their own.
        int[][] texts = [.. Enumerable.Range(0, 120).Select(i => Enumerable.Range(0, i % 20 == 0 ? random.Next(3, 301) : random.Next(1, 60))
            .Select(_ => random.Next(5, config.VocabSize)).ToArray())];

        AssertIndependent(session, texts, [(2, 1), (5, 2), (8, 3), (32, 4)]);
    }

    private static void AssertIndependent(DistilBertSession session, int[][] texts, (int Size, int Seed)[] orders)
    {
        float[][] alone = [.. texts.Select(text => session.ComputeLogits([text])[0])];
        foreach (var (size, seed) in orders)
        {
            int[] order = [.. Enumerable.Range(0, texts.Length)];
            new Random(seed).Shuffle(order);
            foreach (var batch in order.Chunk(size))
            {
                var together = session.ComputeLogits([.. batch.Select(i => texts[i])]);
                foreach (var (i, logits) in batch.Zip(together))
                {
                    for (var label = 0; label < logits.Length; label++)
                    {
                        Assert.True(Math.Abs(alone[i][label] - logits[label]) <= MaxMove,
                            $"A text of {texts[i].Length} tokens has {alone[i][label]:R} alone, and {logits[label]:R} among {batch.Length}.");
                    }
                }
            }
        }
    }
}
