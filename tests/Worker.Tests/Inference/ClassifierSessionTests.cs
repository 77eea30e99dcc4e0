using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests.Inference;

public sealed class ClassifierSessionTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("distilbert", 1, 1, 8, 3, "Gelu")]
    [InlineData("distilbert", 1, 4, 32, 64, "Gelu")]
    [InlineData("distilbert", 2, 3, 24, 100, "Relu")]
    [InlineData("distilbert", 3, 2, 16, 48, "Gelu")]
    [InlineData("distilbert", 3, 12, 96, 17, "Relu")]
    [InlineData("bert", 1, 4, 32, 64, "Gelu")]
    [InlineData("bert", 3, 12, 96, 17, "Relu")]
    [InlineData("roberta", 1, 4, 32, 64, "Gelu")]
    [InlineData("roberta", 3, 12, 96, 17, "Relu")]
    public void ComputeLogits_EveryLength_EqualsTheMathematics(string modelType, int layers, int heads, int dim, int hiddenDim, string activation)
    {
        var config = TestModels.SmallOf(modelType) with
        {
            Layers = layers,
            Heads = heads,
            Dim = dim,
            HiddenDim = hiddenDim,
            Activation = Enum.Parse<Activation>(activation),
        };
        using var directory = TestModels.Write(config, seed: layers);
        // Each of them a pair as well, whose second text begins anywhere.
        var texts = Enumerable.Range(1, config.MaxPositions).SelectMany(length => (TokenizedText[])[Text(config, length), Text(config, length, secondStart: length / 2)]).ToArray();

        AssertEqualsReference(directory.Path, config, texts, oneByOne: true);
    }

    [Theory]
    [InlineData("distilbert")]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void ComputeLogits_Batch_EachTextIsAloneInIt(string modelType)
    {
        var config = TestModels.SmallOf(modelType);
        using var directory = TestModels.Write(config);
        var texts = ((int[])[5, 1, 24, 2, 17, 17, 3]).Select((length, i) => Text(config, length, secondStart: i % 2 == 0 ? length / 3 : null)).ToArray();

        AssertEqualsReference(directory.Path, config, texts, oneByOne: false);
    }

    [Theory]
    [InlineData("bert", 1, 0, 1e-12f)]
    [InlineData("bert", 5, 0, 1e-2f)]
    [InlineData("roberta", 1, 1, 1e-5f)]
    [InlineData("roberta", 2, 0, 1e-2f)]
    [InlineData("roberta", 1, 7, 1e-12f)]
    public void ComputeLogits_TypesPaddingAndEpsilonOfAnyKind_EqualsTheMathematics(string modelType, int typeRows, int padId, float epsilon)
    {
        var config = TestModels.SmallOf(modelType) with { TypeRows = typeRows, PadId = padId, LayerNormEpsilon = epsilon };
        using var directory = TestModels.Write(config);
        var read = EncoderConfig.Read(directory.Path);

        Assert.Equal(config with { Labels = [] }, read with { Labels = [] });
        AssertEqualsReference(directory.Path, read, [Text(config, 24), Text(config, 9, secondStart: 4)], oneByOne: false);
    }

    [Theory]
    [InlineData("bert", true)]
    [InlineData("distilbert", false)]
    [InlineData("roberta", false)]
    public void ComputeLogits_SecondTextOfAPair_CountsWhereTheModelHasTypes(string modelType, bool counts)
    {
        var config = TestModels.SmallOf(modelType);
        using var directory = TestModels.Write(config);
        using var session = TestModels.Open(directory.Path, config, new());

        Assert.Equal(counts, !session.ComputeLogits([Text(config, 12)])[0].SequenceEqual(session.ComputeLogits([Text(config, 12, secondStart: 6)])[0]));
    }

    [Theory]
    [InlineData("distilbert")]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void ComputeLogits_FullSize_EqualsTheMathematics(string modelType)
    {
        // The published models' shape but for the vocabulary, of which a text touches a row for each token, and for layers like others.
        var config = Architectures.Find(modelType)!.Standard with { Layers = modelType is "distilbert" ? 6 : 2, VocabSize = 1000 };
        using var directory = new TemporaryDirectory();
        RandomModelDirectory.Write(directory.Path, config, seed: 1);

        AssertEqualsReference(directory.Path, config, [Text(config, 3), Text(config, 8, secondStart: 5)], oneByOne: false);
    }

    [Fact]
    public void ComputeLogits_MoreTokensThanOnePackHolds_EveryTextInOrder()
    {
        using var directory = TestModels.Write(TestModels.Small);
        var texts = Enumerable.Range(0, 60).Select(i => Text(TestModels.Small, 1 + i * 7 % 24, seed: i)).ToArray();

        AssertEqualsReference(directory.Path, TestModels.Small, texts, oneByOne: false);
    }

    [Theory]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void ComputeLogits_HalfPrecisionStorage_EqualsTheMathematics(string type)
    {
        using var directory = TestModels.Write(TestModels.Small, type: Enum.Parse<StoredType>(type));

        AssertEqualsReference(directory.Path, TestModels.Small, [Text(TestModels.Small, 9)], oneByOne: true);
    }

    [Fact]
    public void ComputeLogits_SeveralThreads_EqualsTheMathematics()
    {
        using var directory = TestModels.Write(TestModels.Small);

        AssertEqualsReference(directory.Path, TestModels.Small, [Text(TestModels.Small, 24)], oneByOne: true, threads: 2);
    }

    [Theory]
    [InlineData("Int8")]
    [InlineData("Fp32")]
    public void ComputeLogits_FileWrittenOver_AnswersStay(string precision)
    {
        using var directory = TestModels.Write(TestModels.Small);
        using var session = TestModels.Open(directory.Path, TestModels.Small, new(Enum.Parse<Precision>(precision)));
        var text = Text(TestModels.Small, 20);
        var before = session.ComputeLogits([text])[0];

        // As cp does: the file stays the same, its content does not.
        using (var file = new FileStream(directory.File("model.safetensors"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.Write(new byte[file.Length]);

        Assert.Equal(before, session.ComputeLogits([text])[0]);
    }

    [Fact]
    public void Open_FileChangedWhileItIsRead_IsRefused()
    {
        using var directory = TestModels.Write(TestModels.Small);
        using var files = new TemporaryDirectory();
        var weights = EncoderWeights.Open(directory.Path, TestModels.Small);
        var compiler = new ModelCompiler(new(files.File("models"), 1 << 30, TimeSpan.FromMinutes(1), TimeProvider.System), Processor.Current, TimeProvider.System, NullLogger.Instance);

        TestModels.Replace(directory.File("model.safetensors"));

        Assert.Contains("was changed while it was read", Assert.Throws<ModelDirectoryException>(
            () => compiler.CompileToCache(TestModels.Small, weights, "0", Precision.Int8, _ => { }, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateDirectories(files.File("models")));
        Assert.Throws<ModelDirectoryException>(() => ClassifierSession.Open(TestModels.Small, weights, new(), cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("distilbert", false)]
    [InlineData("bert", false)]
    [InlineData("bert", true)]
    [InlineData("roberta", false)]
    public void Open_NamesOfOtherKinds_AreFound(string modelType, bool fromGoogle)
    {
        var config = TestModels.SmallOf(modelType);
        using var directory = TestModels.Write(config);
        using var renamed = new TemporaryDirectory();
        var tensors = EncoderTensors.Of(config).Select(tensor => tensor with
        {
            Name = fromGoogle
                ? tensor.Name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal)
                : tensor.Name.Replace($"{modelType}.", "", StringComparison.Ordinal),
        }).ToList();
        var random = new Random(1);
        SafetensorsWriter.Write(renamed.File("model.safetensors"), tensors, StoredType.F32, Fill);
        random = new(1);
        SafetensorsWriter.Write(directory.File("model.safetensors"), [.. EncoderTensors.Of(config)], StoredType.F32, Fill);
        using var session = TestModels.Open(renamed.Path, config, new());

        AssertClose(new ReferenceEncoder(directory.Path, config).Logits(Text(config, 6).TokenIds), session.ComputeLogits([Text(config, 6)])[0]);

        void Fill(TensorShape tensor, Span<float> values)
        {
            foreach (ref var value in values) value = random.NextSingle() - 0.5f;
        }
    }

    [Fact]
    public void ComputeLogits_WeightsAtOddAddress_AreStillRead()
    {
        using var directory = TestModels.Write(TestModels.Small);
        var file = File.ReadAllBytes(directory.File("model.safetensors"));
        // One space more in the header moves every tensor off its alignment.
        var length = BitConverter.ToUInt64(file);
        File.WriteAllBytes(directory.File("model.safetensors"),
            [.. BitConverter.GetBytes(length + 1), .. file.AsSpan(8, (int)length), (byte)' ', .. file.AsSpan(8 + (int)length)]);

        AssertEqualsReference(directory.Path, TestModels.Small, [Text(TestModels.Small, 6)], oneByOne: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void ComputeLogits_TextsOfOneLength_EachIsAloneInIt(int length)
    {
        using var directory = TestModels.Write(TestModels.Small);
        var texts = Enumerable.Range(1, 6).Select(seed => Text(TestModels.Small, length, seed)).ToArray();

        AssertEqualsReference(directory.Path, TestModels.Small, texts, oneByOne: false);
    }

    [Theory]
    [InlineData("distilbert", false)]
    [InlineData("distilbert", true)]
    [InlineData("bert", false)]
    [InlineData("bert", true)]
    [InlineData("roberta", false)]
    [InlineData("roberta", true)]
    public void ComputeLogits_Int8_IsNearTheMathematics(string modelType, bool saturates)
    {
        var config = TestModels.SmallOf(modelType) with { Dim = 64, HiddenDim = 256, Heads = 4, Layers = 3 };
        using var directory = TestModels.Write(config);
        var reference = new ReferenceEncoder(directory.Path, config);
        using var session = new SessionFactory(new(cache: null, Processor.Current with { Saturates = saturates }, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .Open(config, EncoderWeights.Open(directory.Path, config), "", new(Precision.Int8), Cancellation);
        var texts = Enumerable.Range(1, config.MaxPositions).Select(length => Text(config, length, secondStart: length / 2)).ToArray();
        double[][] expected = [.. texts.Select(text => reference.Logits(text.TokenIds, text.SecondStart))];
        // Errors are measured by how far logits lie apart.
        var all = expected.SelectMany(logits => logits).ToList();
        var deviation = Math.Sqrt(all.Average(logit => logit * logit) - all.Average() * all.Average());

        var errors = texts.Zip(expected).SelectMany(pair => session.ComputeLogits([pair.First])[0].Zip(pair.Second, (actual, right) => actual - right));

        Assert.InRange(Math.Sqrt(errors.Average(error => error * error)), 1e-9, 0.1 * deviation);
    }

    [Fact]
    public void ComputeLogits_Int8Deterministic_HasTheSameBitsInABatch()
    {
        using var directory = TestModels.Write(TestModels.Small);
        var texts = ((int[])[5, 1, 24, 2, 17, 17, 3]).Select((length, i) => Text(TestModels.Small, length, i)).ToArray();
        using var deterministic = TestModels.Open(directory.Path, TestModels.Small, new(Precision.Int8, Deterministic: true));

        float[][] alone = [.. texts.Select(text => deterministic.ComputeLogits([text])[0])];

        Assert.Equal(alone, deterministic.ComputeLogits(texts));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static void AssertEqualsReference(
        string path, EncoderConfig config, TokenizedText[] texts, bool oneByOne, int threads = 1)
    {
        var reference = new ReferenceEncoder(path, config);
        using var session = TestModels.Open(path, config, new(Threads: threads));
        var actual = oneByOne ? [.. texts.Select(text => session.ComputeLogits([text])[0])] : session.ComputeLogits(texts);

        Assert.Equal(texts.Length, actual.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            var expected = reference.Logits(texts[i].TokenIds, texts[i].SecondStart);
            // Numbers this far apart cannot agree by chance.
            Assert.True(expected.Max() - expected.Min() > 20 * Tolerance, $"The logits of text {i} are all alike.");
            AssertClose(expected, actual[i]);
        }
    }

    private static void AssertClose(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var label = 0; label < expected.Length; label++) Assert.Equal(expected[label], actual[label], Tolerance);
    }

    private static TokenizedText Text(EncoderConfig config, int length, int seed = 7, int? secondStart = null)
    {
        var random = new Random(seed * 1000 + length);
        return new([.. Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize))], Truncated: false, secondStart ?? length);
    }
}
