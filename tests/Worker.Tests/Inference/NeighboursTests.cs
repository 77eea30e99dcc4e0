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
        TokenizedText[] texts = [.. LabelledSentences.Texts.Select(text => tokenizer.Encode(text))];

        AssertIndependent(session, texts, [(8, 1), (8, 2), (8, 3), (32, 4)]);
    }

    [Theory]
    [InlineData("distilbert", "Int8", 2, 64, 8)]
    [InlineData("distilbert", "Int8", 12, 384, 32)]
    [InlineData("distilbert", "Int8", 12, 384, 2, 2)]
    [InlineData("distilbert", "Int8", 12, 768, 64)]
    [InlineData("distilbert", "Int8", 3, 51, 5)]
    [InlineData("distilbert", "Int8", 1, 256, 3)]
    [InlineData("distilbert", "Fp32", 4, 4, 3)]
    [InlineData("distilbert", "Fp32", 5, 50, 2)]
    [InlineData("distilbert", "Fp32", 4, 36, 1)]
    [InlineData("distilbert", "Fp32", 1, 192, 3)]
    [InlineData("distilbert", "Fp32", 2, 24, 12)]
    [InlineData("distilbert", "Fp32", 12, 384, 32)]
    [InlineData("distilbert", "Fp32", 12, 768, 64)]
    [InlineData("bert", "Int8", 12, 384, 1)]
    [InlineData("bert", "Int8", 12, 768, 5)]
    [InlineData("bert", "Int8", 12, 384, 2, 2)]
    [InlineData("bert", "Fp32", 12, 384, 3)]
    [InlineData("bert", "Fp32", 5, 50, 2)]
    [InlineData("bert", "Fp32", 4, 36, 1)]
    [InlineData("roberta", "Int8", 12, 768, 28)]
    [InlineData("roberta", "Fp32", 12, 768, 7)]
    [InlineData("roberta", "Fp32", 3, 12, 3)]
    public void ComputeLogits_AnyLengthsAndShape_AnswersDoNotDependOnTheBatch(string modelType, string precision, int heads, int dim, int labels, int threads = 1)
    {
        var config = TestModels.SmallOf(modelType) with
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
        TokenizedText[] texts = [.. Enumerable.Range(0, 120).Select(i => Text(config, random, i % 20 == 0 ? random.Next(3, 301) : random.Next(1, 60)))];

        AssertIndependent(session, texts, [(2, 1), (5, 2), (8, 3), (32, 4)]);
    }

    [Theory]
    [InlineData("distilbert", "Int8", 12, 768)]
    [InlineData("distilbert", "Fp32", 12, 384)]
    [InlineData("distilbert", "Fp32", 2, 136)]
    [InlineData("distilbert", "Fp32", 2, 256)]
    [InlineData("bert", "Int8", 12, 768)]
    [InlineData("roberta", "Fp32", 12, 384)]
    public void ComputeLogits_TextsAcrossABlockOfTheSequence_AnswersDoNotDependOnTheBatch(string modelType, string precision, int heads, int dim)
    {
        var config = TestModels.SmallOf(modelType) with { Dim = dim, HiddenDim = 52, Heads = heads, MaxPositions = 200, Activation = Activation.Relu };
        using var directory = TestModels.Write(config);
        using var session = TestModels.Open(directory.Path, config, new(Enum.Parse<Precision>(precision)));
        var random = new Random(dim);
        // Short ones that move the last beyond the 112th place of a sequence, so that it ends behind the 128th.
        foreach (var lengths in (int[][])[[130, 2, 2, 2, 2, 2, 2, 2, 17], [130, 17, 17, 2, 2, 2, 17], [129, 1, 1, 1, 1, 1, 1, 1, 1, 17]])
        {
            TokenizedText[] texts = [.. lengths.Select(length => Text(config, random, length))];
            AssertIndependent(session, texts, [(texts.Length, 1), (texts.Length, 2)]);
            AssertSame(texts, [.. texts.Select(text => session.ComputeLogits([text])[0])], session.ComputeLogits(texts));
        }
    }

    [Fact]
    public void ComputeLogits_ShapesOfAnyKind_AnswersDoNotDependOnTheBatch() =>
        Gen.Select(
            Gen.Select(Gen.Int[1, 6], Gen.Frequency((3, Gen.Int[1, 17].Select(n => 4 * n)), (1, Gen.Int[1, 70])), Gen.Int[1, 70]),
            Gen.Select(Gen.Int[1, 3], Gen.Int[1, 5], Gen.Bool, Gen.Bool, Gen.Int[0, 2]),
            Gen.OneOf(Gen.Int[1, 20], Gen.Int[1, 70], Gen.Int[100, 300]).Array[2, 20]).Sample((widths, others, lengths) =>
        {
            var ((heads, headSize, hidden), (layers, labels, gelu, int8, architecture)) = (widths, others);
            var config = TestModels.SmallOf(Architectures.All[architecture]) with
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
            AssertIndependent(session, [.. lengths.Select(length => Text(config, random, length))], [(lengths.Length, 1)]);
        }, iter: 60, threads: 1);

    // Every other one a pair.
    private static TokenizedText Text(EncoderConfig config, Random random, int length) => new(
        [.. Enumerable.Range(0, length).Select(_ => random.Next(5, config.VocabSize))], Truncated: false, length % 2 == 0 ? length : random.Next(length));

    private static void AssertIndependent(ClassifierSession session, TokenizedText[] texts, (int Size, int Seed)[] orders)
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

    private static void AssertSame(TokenizedText[] texts, float[][] alone, float[][] together)
    {
        for (var i = 0; i < texts.Length; i++)
        {
            for (var label = 0; label < alone[i].Length; label++)
            {
                Assert.True(Math.Abs(alone[i][label] - together[i][label]) <= MaxMove,
                    $"A text of {texts[i].TokenIds.Length} tokens has {alone[i][label]:R} alone, and {together[i][label]:R} among {texts.Length}.");
            }
        }
    }
}
