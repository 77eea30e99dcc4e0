using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lab.Worker.Tests.Inference;

public sealed class ClassifierSessionTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData(1, 1, 8, 3, "Gelu")]
    [InlineData(1, 4, 32, 64, "Gelu")]
    [InlineData(2, 3, 24, 100, "Relu")]
    [InlineData(3, 2, 16, 48, "Gelu")]
    [InlineData(3, 12, 96, 17, "Relu")]
    public void ComputeLogits_EveryLength_EqualsTheMathematics(int layers, int heads, int dim, int hiddenDim, string activation)
    {
        var config = TestModels.Small with
        {
            Layers = layers,
            Heads = heads,
            Dim = dim,
            HiddenDim = hiddenDim,
            Activation = Enum.Parse<Activation>(activation),
        };
        using var directory = TestModels.Write(config, seed: layers);
        var texts = Enumerable.Range(1, config.MaxPositions).Select(length => Text(config, length)).ToArray();

        AssertEqualsReference(directory.Path, config, texts, oneByOne: true);
    }

    [Fact]
    public void ComputeLogits_Batch_EachTextIsAloneInIt()
    {
        using var directory = TestModels.Write(TestModels.Small);
        var texts = ((int[])[5, 1, 24, 2, 17, 17, 3]).Select(length => Text(TestModels.Small, length)).ToArray();

        AssertEqualsReference(directory.Path, TestModels.Small, texts, oneByOne: false);
    }

    [Fact]
    public void ComputeLogits_FullSize_EqualsTheMathematics()
    {
        // The published model's shape but for its vocabulary, of which a text touches a row for each token.
        var config = new EncoderConfig { VocabSize = 1000, Labels = ["NEGATIVE", "POSITIVE"] };
        using var directory = new TemporaryDirectory();
        RandomModelDirectory.Write(directory.Path, config, seed: 1);

        AssertEqualsReference(directory.Path, config, [Text(config, 3), Text(config, 8)], oneByOne: false);
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
        Assert.Throws<ModelDirectoryException>(() => ClassifierSession.Open(TestModels.Small, weights, new()));
    }

    [Fact]
    public void Open_NamesWithoutPrefix_AreFound()
    {
        using var directory = TestModels.Write(TestModels.Small);
        var random = new Random(1);
        SafetensorsWriter.Write(directory.File("model.safetensors"), [.. EncoderTensors.Of(TestModels.Small)], StoredType.F32,
            (_, values) =>
            {
                foreach (ref var value in values) value = random.NextSingle() - 0.5f;
            });

        AssertEqualsReference(directory.Path, TestModels.Small, [Text(TestModels.Small, 6)], oneByOne: true);
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
    [InlineData(false)]
    [InlineData(true)]
    public void ComputeLogits_Int8_IsNearTheMathematics(bool saturates)
    {
        var config = TestModels.Small with { Dim = 64, HiddenDim = 256, Heads = 4, Layers = 3 };
        using var directory = TestModels.Write(config);
        var reference = new ReferenceEncoder(directory.Path, config);
        using var session = new SessionFactory(new(cache: null, Processor.Current with { Saturates = saturates }, TimeProvider.System, NullLogger.Instance), NullLogger.Instance)
            .Open(config, EncoderWeights.Open(directory.Path, config), "", new(Precision.Int8), Cancellation);
        var texts = Enumerable.Range(1, config.MaxPositions).Select(length => Text(config, length)).ToArray();
        double[][] expected = [.. texts.Select(reference.Logits)];
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
        string path, EncoderConfig config, int[][] texts, bool oneByOne, int threads = 1)
    {
        var reference = new ReferenceEncoder(path, config);
        using var session = TestModels.Open(path, config, new(Threads: threads));
        var actual = oneByOne ? [.. texts.Select(text => session.ComputeLogits([text])[0])] : session.ComputeLogits(texts);

        Assert.Equal(texts.Length, actual.Length);
        for (var i = 0; i < texts.Length; i++)
        {
            var expected = reference.Logits(texts[i]);
            Assert.Equal(expected.Length, actual[i].Length);
            // Numbers this far apart cannot agree by chance.
            Assert.True(expected.Max() - expected.Min() > 20 * Tolerance, $"The logits of text {i} are all alike.");
            for (var label = 0; label < expected.Length; label++)
                Assert.Equal(expected[label], actual[i][label], Tolerance);
        }
    }

    private static int[] Text(EncoderConfig config, int length, int seed = 7)
    {
        var random = new Random(seed * 1000 + length);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize))];
    }
}
