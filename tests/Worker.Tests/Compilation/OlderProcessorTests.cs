using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Lab.Testing;
using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.Compilation;

/// <summary>
/// 8-bit products on a processor without VNNI, emulated: it adds products of bytes in pairs and cuts the sums off at
/// 16 bits. (qemu-user, Debian's package of that name.)
/// </summary>
public sealed partial class OlderProcessorTests
{
    [Fact]
    public async Task Int8_ProcessorWithoutVnni_CutsNothingOff()
    {
        const string emulator = "/usr/bin/qemu-x86_64";
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture is Architecture.X64 && File.Exists(emulator), "No qemu-user on this machine.");
        var config = TestModels.Small with { Dim = 64, HiddenDim = 128 };
        using var directory = TestModels.Write(config);
        var random = new Random(1);
        // Weights of one sign: their products with bytes far from zero are those that would be cut off.
        SafetensorsWriter.Write(directory.File("model.safetensors"), [.. EncoderTensors.Of(config)], StoredType.F32, (tensor, values) =>
        {
            var isMatrix = tensor.Shape.Count == 2 && !tensor.Name.StartsWith("embeddings.", StringComparison.Ordinal);
            foreach (ref var value in values)
            {
                value = isMatrix && tensor.Name != "classifier.weight" ? 0.08f + 0.04f * random.NextSingle()
                    : tensor.Name.Contains("norm.weight", StringComparison.OrdinalIgnoreCase) ? 1
                    : random.NextSingle() - 0.5f;
            }
        });
        File.WriteAllLines(directory.File("texts.tsv"), ["label\tsentence", .. Enumerable.Range(0, 20).Select(i => $"0\tword{i} {i} a{i} b")]);

        var here = await LargestDifferenceAsync(WorkerProgram.RunAsync("model", "eval", directory.Path, directory.File("texts.tsv"), "--within", "100", "--agree", "0"));
        var there = await LargestDifferenceAsync(ChildProcess.RunAsync(
            emulator, ["-cpu", "Haswell", Host, WorkerProgram.Path, "model", "eval", directory.Path, directory.File("texts.tsv"), "--within", "100", "--agree", "0"]));

        // Half as many levels, and so twice the error at most; what is cut off costs many times as much.
        TestContext.Current.TestOutputHelper?.WriteLine($"{here} here, {there} there");
        Assert.InRange(there, here / 100, 4 * here + 0.02);
    }

    // An emulator wants a program by its path.
    private static string Host => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    private static async Task<double> LargestDifferenceAsync(Task<ProgramRun> run)
    {
        var (code, output, errors) = await run;
        // The emulator warns of what it does not know.
        Assert.True(code == 0, errors);
        return double.Parse(Difference().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"no logit differs by more than ([\d.]+)\.")]
    private static partial Regex Difference();
}
