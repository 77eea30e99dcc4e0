using System.Runtime.InteropServices;
using Lab.Worker.Checkpoints;
using Lab.Worker.Compilation;
using Lab.Worker.Inference;
using Lab.Worker.Tests.ModelCommands;
using Lab.Worker.Tokenization;
using static Lab.Worker.Checkpoints.EncoderTensors;

namespace Lab.Worker.Tests.Inference;

/// <summary>
/// What 8 bits change in answers of each architecture, on trained weights: those of the bundled model, written in the
/// architecture's own layout (its table of positions divided between positions and token types, its head with the
/// architecture's activation).
/// </summary>
public sealed class EightBitsTests
{
    [Theory]
    [InlineData("distilbert")]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void ComputeLogits_TrainedWeights_EightBitsAgreeWithFloats(string modelType)
    {
        var files = ModelFiles.Read(TestModels.Bundled);
        var config = Layout(files.Config, Architectures.Find(modelType)!);
        using var directory = new TemporaryDirectory();
        files.Weights.Dispose();
        WriteWeights(directory.File(EncoderWeights.FileName), files.Config, config);
        TokenizedText[] texts = [.. LabelledSentences.Texts.Select(text => files.Tokenizer.Encode(text))];
        bool[] positive = [.. LabelledSentences.Positive];

        var floats = Logits(directory.Path, config, new(Precision.Fp32), texts);
        var bytes = Logits(directory.Path, config, new(Precision.Int8), texts);

        // Errors are measured by how far logits lie apart. With VNNI the largest is 0.09 of that in each layout, and their root mean
        // square 0.01; weights of 7 bits are a little worse.
        Assert.InRange(floats.Zip(positive).Count(pair => pair.First > 0 == pair.Second), 0.9 * texts.Length, texts.Length);
        Assert.InRange(floats.Zip(bytes).Count(pair => pair.First > 0 == pair.Second > 0), 0.995 * texts.Length, texts.Length);
        var deviation = Math.Sqrt(floats.Average(logit => logit * logit));
        double[] errors = [.. floats.Zip(bytes, (right, actual) => Math.Abs(right - actual) / deviation)];
        Assert.InRange(errors.Max(), 1e-6, 0.15);
        Assert.InRange(Math.Sqrt(errors.Average(error => error * error)), 1e-7, 0.02);
    }

    private static EncoderConfig Layout(EncoderConfig bundled, EncoderArchitecture architecture) => bundled with
    {
        Architecture = architecture,
        TypeRows = architecture.TypeRows,
        PadId = architecture.PadId,
    };

    // The difference of the two logits: above 0 is positive.
    private static double[] Logits(string directory, EncoderConfig config, SessionSettings settings, TokenizedText[] texts)
    {
        using var session = TestModels.Open(directory, config, settings);
        return [.. texts.Chunk(8).SelectMany(chunk => session.ComputeLogits(chunk)).Select(logits => (double)logits[1] - logits[0])];
    }

    // Positions begin where the architecture's do, and lack what every token's type adds.
    private static void WriteWeights(string path, EncoderConfig from, EncoderConfig to)
    {
        using var file = SafetensorsFile.Open(Path.Combine(TestModels.Bundled, EncoderWeights.FileName));
        var entries = Of(from).ToDictionary(tensor => tensor.Role, tensor => file.Entries[tensor.Name], StringComparer.Ordinal);
        var (role, written) = ("", 0);
        SafetensorsWriter.Write(path, [.. Of(to)], StoredType.F32, (tensor, values) =>
        {
            if (tensor.Role != role) (role, written) = (tensor.Role, tensor.Role is Positions + ".weight" ? -to.FirstPosition * to.Dim : 0);
            var bundled = entries.TryGetValue(role, out var entry) ? MemoryMarshal.Cast<byte, Half>(file.Bytes(entry)) : [];
            for (var i = 0; i < values.Length; i++, written++)
            {
                var ofType = to.TypeRows == 0 ? 0 : 0.05f * MathF.Sin(written % to.Dim);
                values[i] = role switch
                {
                    Types + ".weight" => ofType,
                    Positions + ".weight" => written < 0 ? 0 : (float)bundled[written] - ofType,
                    _ => (float)bundled[written],
                };
            }
        });
    }
}
