using System.Runtime.InteropServices;
using Lab.Worker.Checkpoints;
using Lab.Worker.Graphs;

namespace Lab.Worker.Tests.Checkpoints;

public sealed class EncoderWeightsTests
{
    private const string Words = "embeddings.word_embeddings.weight";

    public static TheoryData<string> TensorNames => [.. EncoderTensors.Of(TestModels.Small with { Layers = 1 }).Select(tensor => tensor.Name)];

    [Theory]
    [MemberData(nameof(TensorNames))]
    public void Open_TensorMissing_NamesIt(string name) =>
        Assert.Contains($"{name}\": is missing", Refusal(tensors => tensors.RemoveAll(tensor => tensor.Name == name)), StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(TensorNames))]
    public void Open_TensorMisshapen_NamesItAndBothShapes(string name)
    {
        var message = Refusal(tensors =>
        {
            var at = tensors.FindIndex(tensor => tensor.Name == name);
            tensors[at] = tensors[at] with { Shape = [.. tensors[at].Shape, 1] };
        });

        Assert.Contains($"{name}\": has the shape [", message, StringComparison.Ordinal);
        Assert.Contains(", 1], but config.json asks for [", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("F32", float.NaN, "not a number")]
    [InlineData("F16", float.NaN, "not a number")]
    [InlineData("BF16", float.PositiveInfinity, "infinite")]
    [InlineData("F32", float.NegativeInfinity, "infinite")]
    [InlineData("F16", 1e10f, "infinite")]
    public void Build_ElementNotFinite_NamesTensorAndElement(string type, float value, string expected)
    {
        foreach (var name in (string[])["transformer.layer.0.ffn.lin2.weight", "transformer.layer.0.attention.k_lin.bias"])
        {
            using var directory = Write(Enum.Parse<StoredType>(type), [.. Tensors()], (tensor, values) =>
            {
                if (tensor.Name == name) values[3] = value;
            });

            var error = Assert.Throws<ModelDirectoryException>(() => Build(directory.Path));
            Assert.Contains($"{name}\": element 3 is {expected}", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_TensorOfWholeNumbers_NamesIt()
    {
        using var directory = Write(StoredType.F32, [.. Tensors()], (_, _) => { });
        var path = directory.File("model.safetensors");
        var text = File.ReadAllBytes(path);
        var at = text.AsSpan().IndexOf("F32"u8);
        "I32"u8.CopyTo(text.AsSpan(at));
        File.WriteAllBytes(path, text);

        var error = Assert.Throws<ModelDirectoryException>(() => Build(directory.Path));
        Assert.Contains("is stored as I32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TensorsOfNoConcern_AreIgnored()
    {
        TensorShape[] further = [new("embeddings.position_ids", [1, 24]), new("vocab_projector.bias", [150])];
        using var plain = Write(StoredType.F32, Tensors(), Numbered);
        using var more = Write(StoredType.F32, [further[0], .. Tensors(), further[1]], (tensor, values) =>
        {
            // Whoever reads it says so.
            if (further.Contains(tensor)) values.Fill(float.NaN);
            else Numbered(tensor, values);
        });

        var (expected, actual) = (Saved(plain), Saved(more));
        Assert.Equal(expected.Graph, actual.Graph);
        Assert.Equal(expected.Weights, actual.Weights);

        // Other numbers in each tensor.
        static void Numbered(TensorShape tensor, Span<float> values) => values.Fill(1 + Tensors().FindIndex(known => known.Name == tensor.Name));

        static (byte[] Graph, byte[] Weights) Saved(TemporaryDirectory directory)
        {
            using var weights = EncoderWeights.Open(directory.Path, Config);
            ClassifierGraph.Build(Config, weights).Save(directory.File("saved.onnx"), "saved.weights");
            return (File.ReadAllBytes(directory.File("saved.onnx")), File.ReadAllBytes(directory.File("saved.weights")));
        }
    }

    [Theory]
    [InlineData("classifier.weight.scale")]
    [InlineData("distilbert.transformer.layer.1.attention.q_lin.weight")]
    [InlineData("distilbert.transformer.layer.0.attention.q_lin.lora_A.weight")]
    [InlineData("distilbert.pooler.dense.weight")]
    public void Open_TensorThatTheModelHasNot_NamesIt(string name) =>
        Assert.Contains($"{name}\": is none that the model of config.json has", Refusal(tensors => tensors.Add(new(name, [1]))), StringComparison.Ordinal);

    [Theory]
    [InlineData(65504f, 2)]
    [InlineData(-65520f, 4)]
    [InlineData(1e30f, 4)]
    public void GetHalf_KeepsElevenBits_UnlessAnElementIsTooLarge(float largest, int bytes)
    {
        float[] written = [1f / 3, -1e-7f, largest, 0.5f];
        using var directory = Write(StoredType.F32, Tensors(), (tensor, values) =>
        {
            if (tensor.Name == Words) written.CopyTo(values);
        });
        using var weights = EncoderWeights.Open(directory.Path, Config);

        var weight = weights.GetHalf(Words);

        Assert.Equal([Config.VocabSize, Config.Dim], weight.Shape);
        Assert.Equal(Config.VocabSize * Config.Dim * bytes, weight.Bytes);
        Assert.Equal(bytes is 2 ? WeightType.Half : WeightType.Float, weight.Type);
        Assert.Equal(
            bytes is 2 ? written.Select(value => (float)(Half)value) : written,
            Enumerable.Range(0, written.Length).Select(i => bytes is 2
                ? (float)BitConverter.Int16BitsToHalf(Marshal.ReadInt16(weight.Address, i * bytes))
                : BitConverter.Int32BitsToSingle(Marshal.ReadInt32(weight.Address, i * bytes))));
    }

    private static EncoderConfig Config => TestModels.Small with { Layers = 1 };

    private static List<TensorShape> Tensors() => [.. EncoderTensors.Of(Config)];

    private static string Refusal(Action<List<TensorShape>> change)
    {
        var tensors = Tensors();
        change(tensors);
        using var directory = Write(StoredType.F32, tensors, (_, _) => { });
        var error = Assert.Throws<ModelDirectoryException>(() => Build(directory.Path));
        Assert.Contains("model.safetensors: tensor \"", error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    private static TemporaryDirectory Write(StoredType type, List<TensorShape> tensors, SafetensorsFill fill)
    {
        var directory = new TemporaryDirectory();
        SafetensorsWriter.Write(directory.File("model.safetensors"), tensors, type, (tensor, values) =>
        {
            values.Fill(0.5f);
            fill(tensor, values);
        });
        return directory;
    }

    private static void Build(string directory)
    {
        using var weights = EncoderWeights.Open(directory, Config);
        ClassifierGraph.Build(Config, weights);
    }

    private delegate void SafetensorsFill(TensorShape tensor, Span<float> values);
}
