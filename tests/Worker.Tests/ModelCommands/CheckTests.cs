using Lab.Worker.Checkpoints;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary><c>model check</c> says in one screen what a model is and what it takes.</summary>
public sealed class CheckTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    // Large enough for the cache.
    private static EncoderConfig Large => TestModels.Small with { Dim = 64, Heads = 4, VocabSize = 70_000 };

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("distilbert", "distilbert (DistilBertForSequenceClassification)", "[CLS] A [SEP] B [SEP]", "pre_classifier, relu, classifier", "WordPiece, 150 tokens, uncased")]
    [InlineData("bert", "bert (BertForSequenceClassification)", "[CLS] A [SEP] B [SEP], in which B has tokens of type 1", "bert.pooler.dense, tanh, classifier", "WordPiece, 150 tokens, uncased")]
    [InlineData("roberta", "roberta (RobertaForSequenceClassification)", "<s> A </s></s> B </s>", "classifier.dense, tanh, classifier.out_proj", "byte-level BPE, 300 tokens, 39 merges")]
    public async Task Check_AnyArchitecture_SaysWhatItIsInOneScreen(string type, string architecture, string pairs, string head, string tokenizer)
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.SmallOf(type), seed: 1);

        var (lines, rows) = await CheckAsync();

        Assert.Equal(
            (architecture, pairs, head, tokenizer, "24 tokens", "3: NEGATIVE, NEUTRAL, POSITIVE", "softmax", "none: workers compile it in memory"),
            (rows["architecture"], rows["pairs"], rows["head"], rows["tokenizer"], rows["longest input"], rows["labels"], rows["scores"], rows["cache entry"]));
        Assert.Equal("2 layers of width 16, 2 heads, feed-forward 40 (gelu)", rows["shape"]);
        Assert.Matches("^[0-9,]+ parameters; 0.[01] MB in F32$", rows["size"]);
        Assert.Matches(@"^int8: weights of ±(127|63) with ", rows["would be built"]);
        Assert.Matches(@"^[1-9][0-9]* MB \(resident in this process", rows["memory"]);
        Assert.Matches(@"^[1-9][0-9]* texts/s of 24 tokens one at a time, .* in batches of 8;", rows["speed"]);
        Assert.InRange(lines.Length, 1, 24);
        Assert.All(lines[..^1], line => Assert.InRange(line.TrimEnd().Length, 0, 80));
        Assert.Equal($"OK: {_directory.Path} can be served as int8.", lines[^1]);
    }

    [Fact]
    public async Task Check_NoBench_MeasuresNoSpeed()
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.Small, seed: 1);

        var (_, rows) = await CheckAsync(["--no-bench", "--precision", "fp32"]);

        Assert.DoesNotContain("speed", rows.Keys);
        Assert.Equal("fp32: all in 32-bit floats", rows["would be built"]);
    }

    [Fact]
    public async Task Check_LargeModel_SaysWhetherTheCacheHasItAndLeavesNothing()
    {
        RandomModelDirectory.Write(_directory.Path, Large, seed: 1);
        using var cache = new TemporaryDirectory();
        var temporary = Directory.CreateDirectory(_directory.File("tmp"));
        var environment = new Dictionary<string, string?> { ["TMPDIR"] = temporary.FullName };
        string[] options = ["--no-bench", "--cache", cache.Path];

        var (_, rows) = await CheckAsync(options, environment);

        Assert.EndsWith($" MB, not there yet in {cache.Path}", rows["cache entry"], StringComparison.Ordinal);
        Assert.Contains("MB of compiled weights, which all workers of a host share", rows["memory"], StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(cache.Path));
        Assert.Empty(temporary.EnumerateFileSystemInfos("lab-*"));

        Assert.Equal(0, (await WorkerProgram.RunAsync("model", "compile", _directory.Path, "--cache", cache.Path)).Code);
        var (_, later) = await CheckAsync(options, environment);

        Assert.Equal(rows["cache entry"].Replace("not there yet", "there already", StringComparison.Ordinal), later["cache entry"]);
        Assert.True(Directory.Exists(Path.Combine(cache.Path, rows["cache entry"].Split(',')[0])));
    }

    [Fact]
    public async Task Check_NowhereToCompile_ChecksInMemoryAndSaysSo()
    {
        RandomModelDirectory.Write(_directory.Path, Large, seed: 1);

        var (lines, rows) = await CheckAsync(["--no-bench", "--cache", _directory.File("cache")], new() { ["TMPDIR"] = _directory.File("absent") });

        Assert.StartsWith("not tried, since ", rows["cache entry"], StringComparison.Ordinal);
        Assert.StartsWith("OK: ", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_OneLabelManyLabelsAndAShorterTokenizer_AreTold()
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.Small with { Labels = ["score"] }, seed: 1);
        File.WriteAllText(_directory.File("tokenizer_config.json"), """{"model_max_length":12}""");

        var (_, rows) = await CheckAsync(["--no-bench"]);

        Assert.Equal(("1: score", "the sigmoid; with one label it answers /rerank too"), (rows["labels"], rows["scores"]));
        Assert.Equal("12 tokens, as the tokenizer's files say; the model could read 24", rows["longest input"]);

        using var many = TestModels.Write(TestModels.Small with { Labels = [.. Enumerable.Range(0, 1000).Select(i => $"label{i}")] });
        var (lines, _) = await CheckAsync(["--no-bench"], directory: many.Path);
        Assert.Contains(lines, line => line.StartsWith("labels          1000: label0, label1, ", StringComparison.Ordinal));
        Assert.InRange(lines.Length, 1, 24);
    }

    [Theory]
    [InlineData("bert", 2, "max_position_embeddings is 2; it must be 3 to 16384")]
    [InlineData("roberta", 5, "max_position_embeddings is 5; it must be 6 to 16386")]
    public async Task Check_FewerPositionsThanAPairsSpecialTokens_NamesTheMember(string type, int positions, string expected)
    {
        RandomModelDirectory.Write(_directory.Path, TestModels.SmallOf(type), seed: 1);
        var config = _directory.File("config.json");
        File.WriteAllText(config, System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(config), "(\"max_position_embeddings\": )[0-9]+", $"${{1}}{positions}"));

        var (code, output, errors) = await WorkerProgram.RunAsync("model", "check", _directory.Path);

        Assert.Equal((1, "", $"error: {config}: {expected}\n"), (code, output, errors));
    }

    // The rows, each on one line again.
    private async Task<(string[] Lines, Dictionary<string, string> Rows)> CheckAsync(
        string[]? options = null, Dictionary<string, string?>? environment = null, string? directory = null)
    {
        var (code, output, errors) = await WorkerProgram.RunAsync(["model", "check", directory ?? _directory.Path, .. options ?? []], environment ?? []);
        Assert.Equal((0, ""), (code, errors));
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var column = lines[0].IndexOf(lines[0].Split("  ", StringSplitOptions.RemoveEmptyEntries)[1].TrimStart(), StringComparison.Ordinal);
        var rows = new Dictionary<string, string>();
        var name = "";
        foreach (var line in lines[..^1])
        {
            if (line[..column].Trim() is { Length: > 0 } next) rows.Add(name = next, line[column..].Trim());
            else rows[name] += $" {line[column..].Trim()}";
        }

        return (lines, rows);
    }
}
