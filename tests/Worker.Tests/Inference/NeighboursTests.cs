using System.Runtime.InteropServices;
using CsCheck;
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
        var config = EncoderConfig.Read(TestModels.Bundled);
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
    [InlineData("Int8", 3, 51, 5)]
    [InlineData("Int8", 1, 256, 3)]
    [InlineData("Fp32", 4, 4, 3)]
    [InlineData("Fp32", 5, 50, 2)]
    [InlineData("Fp32", 4, 36, 1)]
    [InlineData("Fp32", 1, 192, 3)]
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

    [Theory]
    [InlineData("Int8", 12, 768)]
    [InlineData("Fp32", 12, 384)]
    [InlineData("Fp32", 2, 136)]
    [InlineData("Fp32", 2, 256)]
    public void ComputeLogits_TextsAcrossABlockOfTheSequence_AnswersDoNotDependOnTheBatch(string precision, int heads, int dim)
    {
        var config = TestModels.Small with { Dim = dim, HiddenDim = 52, Heads = heads, MaxPositions = 200, Activation = Activation.Relu };
        using var directory = TestModels.Write(config);
        using var session = TestModels.Open(directory.Path, config, new(Enum.Parse<Precision>(precision)));
        var random = new Random(dim);
        // Short ones that move the last beyond the 112th place of a sequence, so that it ends behind the 128th.
        foreach (var lengths in (int[][])[[130, 2, 2, 2, 2, 2, 2, 2, 17], [130, 17, 17, 2, 2, 2, 17], [129, 1, 1, 1, 1, 1, 1, 1, 1, 17]])
        {
            int[][] texts = [.. lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(5, config.VocabSize)).ToArray())];
            AssertIndependent(session, texts, [(texts.Length, 1), (texts.Length, 2)]);
            AssertSame(texts, [.. texts.Select(text => session.ComputeLogits([text])[0])], session.ComputeLogits(texts));
        }
    }

    [Fact]
    public void ComputeLogits_ShapesOfAnyKind_AnswersDoNotDependOnTheBatch() =>
        Gen.Select(
            Gen.Select(Gen.Int[1, 6], Gen.Frequency((3, Gen.Int[1, 17].Select(n => 4 * n)), (1, Gen.Int[1, 70])), Gen.Int[1, 70]),
            Gen.Select(Gen.Int[1, 3], Gen.Int[1, 5], Gen.Bool, Gen.Bool),
            Gen.OneOf(Gen.Int[1, 20], Gen.Int[1, 70], Gen.Int[100, 300]).Array[2, 20]).Sample((widths, others, lengths) =>
        {
            var ((heads, headSize, hidden), (layers, labels, gelu, int8)) = (widths, others);
            var config = TestModels.Small with
            {
                Heads = heads,
                Dim = heads * headSize,
                HiddenDim = hidden,
                Layers = layers,
                Labels = [.. Enumerable.Range(0, labels).Select(i => $"L{i}")],
                Activation = gelu ? Activation.Gelu : Activation.Relu,
                MaxPositions = 300,
            };
            using var directory = TestModels.Write(config);
            using var session = TestModels.Open(directory.Path, config, new(int8 ? Precision.Int8 : Precision.Fp32));
            var random = new Random(heads);
            AssertIndependent(session, [.. lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(5, config.VocabSize)).ToArray())], [(lengths.Length, 1)]);
        }, iter: 60, threads: 1);

    private static void AssertIndependent(ClassifierSession session, int[][] texts, (int Size, int Seed)[] orders)
    {
        float[][] alone = [.. texts.Select(text => session.ComputeLogits([text])[0])];
        foreach (var (size, seed) in orders)
        {
            int[] order = [.. Enumerable.Range(0, texts.Length)];
            new Random(seed).Shuffle(order);
            foreach (var batch in order.Chunk(size))
            {
                AssertSame([.. batch.Select(i => texts[i])], [.. batch.Select(i => alone[i])], session.ComputeLogits([.. batch.Select(i => texts[i])]));
            }
        }
    }

    private static void AssertSame(int[][] texts, float[][] alone, float[][] together)
    {
        for (var i = 0; i < texts.Length; i++)
        {
            for (var label = 0; label < alone[i].Length; label++)
            {
                Assert.True(Math.Abs(alone[i][label] - together[i][label]) <= MaxMove,
                    $"A text of {texts[i].Length} tokens has {alone[i][label]:R} alone, and {together[i][label]:R} among {texts.Length}.");
            }
        }
    }
}
