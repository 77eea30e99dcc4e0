using System.Text.Json;
using System.Text.Json.Nodes;
using Lab.Worker.Checkpoints;
using Lab.Worker.Tests.Tokenization;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>Of each kind of model all is fetched that it is served from, and what cannot be served is refused before its weights.</summary>
public sealed class PullArchitecturesTests : HubTests
{
    private static readonly string[] OfRoberta = ["vocab.json", "merges.txt"];

    [Theory]
    [InlineData("distilbert", new[] { "vocab.txt" })]
    [InlineData("bert", new[] { "vocab.txt" })]
    [InlineData("roberta", new[] { "merges.txt", "vocab.json" })]
    public async Task Pull_AnyArchitecture_FetchesWhatItIsServedFrom(string architecture, string[] tokenizer)
    {
        Put(architecture);
        foreach (var name in (string[])["README.md", "pytorch_model.bin", "vocab.model"]) Hub.Files[name] = [1];

        await PullAsync();

        Assert.Equal(Order(["config.json", "model.safetensors", .. tokenizer]), Order(Directory.EnumerateFileSystemEntries(Target.Path).Select(path => System.IO.Path.GetFileName(path))));
        var (code, output, errors) = await WorkerProgram.RunAsync("model", "check", Target.Path, "--no-bench");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains($"{architecture} (", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_RobertaWithTokenizerJsonAlone_IsFetched()
    {
        Put("roberta");
        PutTokenizerJson();
        foreach (var name in OfRoberta) Hub.Files.Remove(name);

        await PullAsync();

        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], Order(Directory.EnumerateFileSystemEntries(Target.Path).Select(path => System.IO.Path.GetFileName(path))));
    }

    [Theory]
    [InlineData("roberta", "merges.txt", null, "someone/tiny/merges.txt: does not exist")]
    [InlineData("roberta", "vocab.json", null, "someone/tiny/vocab.json: does not exist, and there is no tokenizer.json in its place")]
    [InlineData("roberta", "vocab.json", """{"<s>":0}""", "someone/tiny/vocab.json: ")]
    [InlineData("roberta", "tokenizer.json", """{"model":{"type":"Unigram","vocab":[]}}""", "someone/tiny/tokenizer.json: ")]
    [InlineData("bert", "vocab.txt", null, "someone/tiny/vocab.txt: does not exist, and there is no tokenizer.json in its place")]
    [InlineData("bert", "tokenizer.json", """{"model":{"type":"BPE","vocab":{},"merges":[]}}""", "someone/tiny/tokenizer.json: ")]
    public async Task Pull_TokenizerThatCannotBeServed_IsRefusedBeforeTheWeights(string architecture, string name, string? content, string expected)
    {
        Put(architecture);
        if (content is null) Hub.Files.Remove(name);
        else Hub.Files[name] = System.Text.Encoding.UTF8.GetBytes(content);

        await AssertRefusedAsync(expected);

        Assert.InRange(Hub.WeightBytesSent, 0, HeaderEnd);
    }

    [Theory]
    [InlineData("bert", "BertModel", "architectures is \"BertModel\", an encoder without a classifier; only BertForSequenceClassification can be served")]
    [InlineData("roberta", "RobertaForTokenClassification", "architectures is \"RobertaForTokenClassification\", which labels tokens and not texts; only RobertaForSequenceClassification can be served")]
    public async Task Pull_AnotherHead_IsRefusedByItsConfigAlone(string architecture, string name, string expected)
    {
        Put(architecture);
        var config = JsonNode.Parse(Hub.Files["config.json"])!;
        config["architectures"] = new JsonArray(name);
        Hub.Files["config.json"] = JsonSerializer.SerializeToUtf8Bytes(config);

        await AssertRefusedAsync($"someone/tiny/config.json: {expected}");

        Assert.Equal(2, Hub.Requests.Count);
    }

    private void Put(string architecture)
    {
        using var model = TestModels.Write(TestModels.SmallOf(architecture));
        Hub.Files.Clear();
        foreach (var path in Directory.EnumerateFiles(model.Path)) Hub.Files[System.IO.Path.GetFileName(path)] = File.ReadAllBytes(path);
    }

    private void PutTokenizerJson()
    {
        using var directory = new TemporaryDirectory();
        string[] tokens = [.. JsonSerializer.Deserialize<Dictionary<string, int>>(Hub.Files["vocab.json"])!.OrderBy(token => token.Value).Select(token => token.Key)];
        string[] merges = [.. System.Text.Encoding.UTF8.GetString(Hub.Files["merges.txt"]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)];
        Gpt2Tokens.WriteJson(directory.Path, null, tokens, merges);
        Hub.Files["tokenizer.json"] = File.ReadAllBytes(directory.File("tokenizer.json"));
    }

    private static IEnumerable<string> Order(IEnumerable<string> names) => names.Order(StringComparer.Ordinal);
}
