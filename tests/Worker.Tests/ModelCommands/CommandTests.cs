using System.Text;
using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>The model commands as their user runs them.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task MakeRandom_SameSeed_SameBytes()
    {
        string[] shape = ["--layers", "2", "--dim", "16", "--heads", "2", "--hidden", "40", "--positions", "24", "--vocab", "150"];
        foreach (var (name, seed) in (IEnumerable<(string, string)>)[("a", "5"), ("b", "5"), ("c", "6")])
            Assert.Equal(0, (await WorkerProgram.RunAsync(["model", "make-random", _directory.File(name), "--seed", seed, .. shape])).Code);

        Assert.Equal(Bytes("a"), Bytes("b"));
        Assert.NotEqual(Bytes("a"), Bytes("c"));
        var config = EncoderConfig.Read(_directory.File("a"));
        Assert.Equal((2, 16, 2, 40, 24, 150), (config.Layers, config.Dim, config.Heads, config.HiddenDim, config.MaxPositions, config.VocabSize));
        Assert.Equal(ModelCommand.FailureExitCode, (await WorkerProgram.RunAsync(["model", "make-random", _directory.File("a"), .. shape])).Code);

        byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(_directory.File(name), "model.safetensors"));
    }

    [Theory]
    [InlineData("bert", "vocab.txt")]
    [InlineData("roberta", "vocab.json")]
    public async Task MakeRandom_OfAnArchitecture_CanBeRead(string architecture, string vocabulary)
    {
        var (code, output, errors) = await WorkerProgram.RunAsync("model", "make-random", _directory.Path, "--architecture", architecture, "--layers", "2", "--dim", "16", "--heads", "2", "--positions", "24", "--vocab", "300", "--labels", "1");

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("of random weights", output, StringComparison.Ordinal);
        var config = EncoderConfig.Read(_directory.Path);
        Assert.Equal((architecture, 2, 16, 3072, 24, 300), (config.Architecture.ModelType, config.Layers, config.Dim, config.HiddenDim, config.MaxPositions, config.VocabSize));
        Assert.Equal(["LABEL_0"], config.Labels);
        EncoderWeights.Open(_directory.Path, config).Dispose();
        Assert.True(File.Exists(_directory.File(vocabulary)));
    }

    [Fact]
    public async Task CheckEvalCompileAndBench_Bert_DoAsWithAnyModel()
    {
        Assert.Equal(0, (await WorkerProgram.RunAsync("model", "make-random", _directory.Path, "--architecture", "bert", "--layers", "1", "--dim", "16", "--heads", "2", "--hidden", "40", "--positions", "24", "--vocab", "150")).Code);
        File.WriteAllLines(_directory.File("texts.tsv"), ["label\tsentence", "0\tword1 a", "1\tb"]);

        foreach (var (command, expected) in (IEnumerable<(string[], string)>)
        [
            (["check"], "OK: "),
            (["compile", "--cache", _directory.File("cache")], ", compiled, "),
            (["bench", "--seconds", "0.01", "--rounds", "1", "--batch", "1"], "whole model's GOP/s"),
        ])
        {
            var (code, output, errors) = await WorkerProgram.RunAsync(["model", command[0], _directory.Path, .. command[1..]]);
            Assert.Equal((0, ""), (code, errors));
            Assert.Contains(expected, output, StringComparison.Ordinal);
        }

        var eval = await WorkerProgram.RunAsync("model", "eval", _directory.Path, _directory.File("texts.tsv"), "--within", "100", "--agree", "0");
        Assert.Equal((0, ""), (eval.Code, eval.Error));
    }

    [Theory]
    [InlineData("header", "claims a header of 9223372036854775808 bytes")]
    [InlineData("ten-gigabytes", "are not within the file's")]
    [InlineData("nan", "is not a number")]
    [InlineData("config", "but config.json asks for")]
    [InlineData("huge-config", "vocab_size is 2000000000")]
    [InlineData("vocabulary-twice", "stands in line")]
    [InlineData("vocabulary-cls", "the token [CLS] is missing")]
    [InlineData("vocabulary-long", "vocab.txt: has more than 150 tokens, but vocab_size in config.json is 150")]
    [InlineData("infinite-sums", "gives logits that are not finite")]
    [InlineData("nothing", "config.json: does not exist")]
    public async Task Check_HostileDirectory_OneLineAndAnExitCode(string hostility, string expected)
    {
        Spoil(hostility);

        // A heap of 64 MB would not hold what these files claim.
        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "check", _directory.Path], new() { ["DOTNET_GCHeapHardLimit"] = "0x4000000" });

        Assert.Equal((ModelCommand.FailureExitCode, ""), (code, output));
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith($"error: {_directory.Path}", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check", "--precision", "7", "--precision: \"7\" is none of ")]
    [InlineData("make-random", "--architecture", "bart", "--architecture: \"bart\" is none of distilbert, bert and roberta")]
    [InlineData("make-random", "--labels", "0", "--labels is 0; it must be 1 to 4096")]
    [InlineData("bench", "--precision", "int4", "--precision: \"int4\" is none of ")]
    [InlineData("bench", "--seconds", "NaN", "error: --seconds is NaN; it must be 0.01 to 3600")]
    [InlineData("bench", "--seconds", "1e30", "error: --seconds is 1E+30; it must be")]
    [InlineData("bench", "--rounds", "0", "error: --rounds is 0; it must be at least 1")]
    [InlineData("bench", "--seq", "4,x", "--seq: \"x\" is not a number")]
    [InlineData("pull", "--output", "x", "is no model's name; it must be like owner/name")]
    public async Task AnyCommand_ImpossibleOption_IsNamedInALine(string command, string option, string value, string expected)
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.Small, seed: 1);

        var (code, _, errors) = await WorkerProgram.RunAsync("model", command, _directory.Path, option, value);

        Assert.Equal(ModelCommand.FailureExitCode, code);
        Assert.Contains(expected, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pull")]
    [InlineData("check")]
    [InlineData("compile")]
    [InlineData("make-random")]
    public async Task AnyCommand_NothingWhereADirectoryShouldBe_SaysSoInALine(string command)
    {
        var (code, _, errors) = await WorkerProgram.RunAsync("model", command, "");

        Assert.Equal(ModelCommand.FailureExitCode, code);
        Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Bench_SmallModel_ARowForEachConfiguration()
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.Small, seed: 1);

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "bench", _directory.Path,
            "--seq", "4,8", "--batch", "1,3", "--threads", "1,2,1", "--precision", "int8", "fp32", "INT8", "--rounds", "1", "--seconds", "0.01");

        Assert.Equal((0, ""), (code, errors));
        var rows = output.Split('\n').Where(line => line.StartsWith("| int8", StringComparison.Ordinal) || line.StartsWith("| fp32", StringComparison.Ordinal)).ToList();
        Assert.Equal(16, rows.Count);
        Assert.Equal(16, rows.Select(row => string.Join('|', row.Split('|').Take(5))).Distinct().Count());
        Assert.Equal(4, output.Split('\n').Count(line => line.StartsWith("Peak, ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Bench_WithoutLengths_TakesThoseThatTheModelCanRead()
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.Small, seed: 1);

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "bench", _directory.Path, "--batch", "1", "--rounds", "1", "--seconds", "0.01");

        Assert.Equal((0, ""), (code, errors));
        Assert.Equal("16", Assert.Single(output.Split('\n'), line => line.StartsWith("| int8", StringComparison.Ordinal)).Split('|')[4].Trim());
    }

    [Fact]
    public async Task Bench_Texts_MeasuresTokeniserAndPacking()
    {
        File.WriteAllText(_directory.File("texts.tsv"), "text\nI loved every minute of it\nA dull, lifeless mess\n");

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "bench", TestModels.Bundled,
            "--texts", _directory.File("texts.tsv"), "--rounds", "1", "--seconds", "0.01");

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("| tokeniser", output, StringComparison.Ordinal);
        Assert.Contains("packed, 32 at once", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eval_BundledModelOnLabelledTexts_EightBitsCostNoMoreThanHalfAPoint()
    {
        var file = _directory.File("labelled.tsv");
        LabelledSentences.Write(file);

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "eval", TestModels.Bundled, file);

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("\nOK: int8 is ", output, StringComparison.Ordinal);
        // Labels and texts that go together: a model that guesses would be right of half.
        var fp32 = output.Split('\n').Single(line => line.StartsWith("| fp32", StringComparison.Ordinal)).Split('|');
        Assert.True(int.Parse(fp32[2], System.Globalization.CultureInfo.InvariantCulture) > 0.8 * LabelledSentences.Count, output);
    }

    [Theory]
    [InlineData("sentence1\tsentence2\tlabel\na\tword1\t0\nword1\ta\t1\n", 0, "| fp32 ")]
    [InlineData("text\ttext_pair\tlabel\na\tword1\t0\n", 0, "| fp32 ")]
    [InlineData("sentence1\tsentence2\tlabel\na\t\t0\n", 1, "line 2 has no second text")]
    [InlineData("sentence1\tlabel\na\t0\n", 1, "names a column \"sentence1\" and none \"sentence2\"")]
    public async Task Eval_Pairs_AreReadAsPairs(string content, int expectedCode, string expected)
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.SmallOf("bert"), seed: 1);
        File.WriteAllText(_directory.File("pairs.tsv"), content);

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "eval", _directory.Path, _directory.File("pairs.tsv"), "--within", "100", "--agree", "0");

        Assert.Equal(expectedCode, code);
        Assert.Contains(expected, output + errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eval_Int8FallsBehindTooFar_Fails()
    {
        File.WriteAllText(_directory.File("texts.tsv"), "label\tsentence\n0\tA dull, lifeless mess\n");

        var (code, output, _) = await WorkerProgram.RunAsync("model", "eval", TestModels.Bundled, _directory.File("texts.tsv"), "--within", "-1");

        Assert.Equal(ModelCommand.FailureExitCode, code);
        Assert.Contains("FAILED: int8 is 0.00 points", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("label\tsentence\n2\ta\n", "line 2 has the label \"2\"; the model's are NEGATIVE, POSITIVE")]
    [InlineData("label\tsentence\nnegative\n", "line 2 has 1 columns")]
    [InlineData("label\tsentence\n1\t\n", "line 2 has no text")]
    [InlineData("label\tsentence\n", "there are no texts")]
    [InlineData("label\tsentence\n1\ta\tb\n", "line 2 has 3 columns, and the first has 2")]
    [InlineData("label\tsentence\n1\tcafé\n", "is not valid UTF-8")]
    [InlineData("1\ta\n", "names no column \"sentence\"")]
    [InlineData("sentence\na\n", "names no column \"label\"")]
    public async Task Eval_NoSuchFile_NamesTheLine(string content, string expected)
    {
        File.WriteAllText(_directory.File("texts.tsv"), content, Encoding.Latin1);

        var (code, _, errors) = await WorkerProgram.RunAsync("model", "eval", TestModels.Bundled, _directory.File("texts.tsv"));

        Assert.Equal(ModelCommand.FailureExitCode, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    private void Spoil(string hostility)
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.Small, seed: 1);
        string weights = _directory.File("model.safetensors"), config = _directory.File("config.json"), vocabulary = _directory.File("vocab.txt");
        switch (hostility)
        {
            case "header":
                File.WriteAllBytes(weights, [.. BitConverter.GetBytes(1UL << 63), .. new byte[100]]);
                break;
            case "ten-gigabytes":
                var header = """{"pre_classifier.bias":{"dtype":"F32","shape":[2500000000],"data_offsets":[0,10000000000]}}"""u8;
                File.WriteAllBytes(weights, [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. new byte[1024 - header.Length]]);
                break;
            case "nan":
                using (var file = File.OpenWrite(weights))
                {
                    file.Position = file.Length - sizeof(float);
                    file.Write(BitConverter.GetBytes(float.NaN));
                }

                break;
            case "infinite-sums":
                RandomModelDirectory.Write(_directory.Path, TestModels.Small, seed: 1, spread: 1e20f);
                break;
            case "config":
                File.WriteAllText(config, File.ReadAllText(config).Replace("\"hidden_dim\": 40", "\"hidden_dim\": 41", StringComparison.Ordinal));
                break;
            case "huge-config":
                File.WriteAllText(config, File.ReadAllText(config).Replace("\"vocab_size\": 150", "\"vocab_size\": 2000000000", StringComparison.Ordinal));
                break;
            case "vocabulary-twice":
                File.WriteAllLines(vocabulary, [.. File.ReadLines(vocabulary).Take(149), "a"]);
                break;
            case "vocabulary-long":
                File.WriteAllText(vocabulary, string.Join('\n', Enumerable.Range(0, 3_000_000).Select(line => $"{line:x}")));
                break;
            case "vocabulary-cls":
                File.WriteAllText(vocabulary, File.ReadAllText(vocabulary).Replace("[CLS]", "[CLX]", StringComparison.Ordinal));
                break;
            default:
                foreach (var file in Directory.EnumerateFiles(_directory.Path)) File.Delete(file);
                break;
        }
    }
}
