using System.Net;
using System.Text;
using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands;
using Lab.Worker.ModelCommands.Hub;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>What cannot be served, or is not what was promised, is refused in a line, and nothing is left.</summary>
public sealed class PullRefusalTests : HubTests
{
    [Theory]
    [InlineData(HttpStatusCode.NotFound, null, "no such model, revision or file")]
    [InlineData(HttpStatusCode.Unauthorized, null, "HF_TOKEN gives your token")]
    [InlineData(HttpStatusCode.Unauthorized, Token, "the token in HF_TOKEN does not open it")]
    [InlineData(HttpStatusCode.Forbidden, Token, "the token in HF_TOKEN does not open it")]
    public async Task Pull_Refused_SaysWhyWithoutTheToken(HttpStatusCode status, string? token, string expected)
    {
        Hub.Status = status;

        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "pull", HubServer.Model, "--output", Target.Path], new() { ["HF_ENDPOINT"] = Hub.Endpoint, ["HF_TOKEN"] = token });

        Assert.Equal(ModelCommand.FailureExitCode, code);
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: someone/tiny at main: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, output + errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Target.Path));
    }

    [Fact]
    public async Task Pull_NoWeightsInSafetensors_SaysSo()
    {
        Hub.Files.Remove("model.safetensors");

        await AssertRefusedAsync("someone/tiny has no model.safetensors, and nothing else can be read in its place");
    }

    [Fact]
    public async Task Pull_PickleOnly_SaysHowToConvertIt()
    {
        Hub.Files.Remove("model.safetensors");
        Hub.Files["pytorch_model.bin"] = [1];

        await AssertRefusedAsync("M.from_pretrained('someone/tiny').save_pretrained('DIR')");
    }

    [Fact]
    public async Task Pull_AnotherKindOfModel_IsRefusedByItsConfigAlone()
    {
        Hub.Files["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"xlm-roberta"}""");
        // What it lacks besides matters less.
        Hub.Files.Remove("model.safetensors");

        await AssertRefusedAsync("someone/tiny/config.json: model_type is \"xlm-roberta\", whose tokenizer is a unigram model (SentencePiece), which cannot be read; only distilbert, bert and roberta can be served");

        Assert.Equal(2, Hub.Requests.Count);
    }

    [Theory]
    [InlineData("F64", "is stored as F64; F32, F16 and BF16 can be read")]
    [InlineData("shape", "tensor \"classifier.weight\": has the shape ")]
    [InlineData("name", "tensor \"classifier.weight\": is missing")]
    [InlineData("offsets", "the tensors end at byte ")]
    [InlineData("json", "the header is not JSON")]
    [InlineData("length", "claims a header of 18446744073709551615 bytes; more than 16777216 are not read")]
    [InlineData("short", "has 4 bytes, too few for a safetensors file")]
    [InlineData("empty", "has 0 bytes, too few for a safetensors file")]
    public async Task Pull_WeightsThatCannotBeServed_AreRefusedByTheirHeader(string fault, string expected)
    {
        var headerEnd = HeaderEnd;
        Model = fault switch
        {
            "F64" => Rewrite(header => header.Replace("F16", "F64", StringComparison.Ordinal), 4),
            "shape" => Rewrite(header => header.Replace("\"shape\":[3,64]", "\"shape\":[64,3]", StringComparison.Ordinal), 1),
            "name" => Rewrite(header => header.Replace("\"classifier.weight\"", "\"classifier.weighs\"", StringComparison.Ordinal), 1),
            "offsets" => [.. Model, 0],
            "json" => Rewrite(_ => "{", 1),
            "length" => [.. BitConverter.GetBytes(ulong.MaxValue), .. Model[8..]],
            "short" => Model[..4],
            _ => [],
        };

        await AssertRefusedAsync(expected);

        Assert.InRange(Hub.WeightBytesSent, 0, 2 * headerEnd);
    }

    [Fact]
    public async Task Pull_ServerWithoutRangesAndWeightsThatCannotBeServed_ReadsNoMoreThanTheHeader()
    {
        Hub.HonoursRange = false;
        Model = Rewrite(header => header.Replace("\"classifier.weight\"", "\"classifier.weighs\"", StringComparison.Ordinal), 1);
        // Were more than that waited for, the test would not end.
        Hub.Stall = HeaderEnd;

        await AssertRefusedAsync("tensor \"classifier.weight\": is missing");
    }

    [Theory]
    [InlineData("vocab.txt", "[CLX]", "someone/tiny/vocab.txt: the token [CLS] is missing")]
    [InlineData("tokenizer_config.json", "[]", "someone/tiny/tokenizer_config.json: ")]
    [InlineData("config.json", "{", "someone/tiny/config.json: is not JSON")]
    public async Task Pull_OtherFilesThatCannotBeServed_AreRefusedBeforeAnyWeights(string name, string content, string expected)
    {
        Hub.Files[name] = name == "vocab.txt"
            ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Hub.Files[name]).Replace("[CLS]", content, StringComparison.Ordinal))
            : Encoding.UTF8.GetBytes(content);

        await AssertRefusedAsync(expected);

        Assert.InRange(Hub.WeightBytesSent, 0, HeaderEnd);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "X-Error-Code", "GatedRepo", null, "the model is gated; ask for access on its page")]
    [InlineData(HttpStatusCode.Forbidden, "X-Error-Code", "GatedRepo", Token, "the model is gated, and the token in HF_TOKEN has no access")]
    [InlineData(HttpStatusCode.Unauthorized, "X-Error-Message", "Invalid credentials in Authorization header", Token, "the hub does not know the token in HF_TOKEN")]
    [InlineData(HttpStatusCode.NotFound, "X-Error-Code", "EntryNotFound", null, "the hub has no such model, revision or file")]
    public async Task Pull_FilesRefused_SaysWhyAndLeavesNothing(HttpStatusCode status, string name, string value, string? token, string expected)
    {
        Hub.Refusal = (status, name, value);

        await AssertRefusedAsync($"someone/tiny/config.json: {expected}", token);
    }

    [Fact]
    public async Task Pull_ProgramRefuses_OneLineAndNothingLeft()
    {
        Hub.Files["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"xlm-roberta"}""");
        var temporary = Directory.CreateDirectory(Target.File("tmp"));

        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "pull", HubServer.Model, "--output", Target.File("out")], new() { ["HF_ENDPOINT"] = Hub.Endpoint, ["TMPDIR"] = temporary.FullName });

        Assert.Equal((ModelCommand.FailureExitCode, ""), (code, output));
        Assert.Equal("error: someone/tiny/config.json: model_type is \"xlm-roberta\", whose tokenizer is a unigram model (SentencePiece), which cannot be read; only distilbert, bert and roberta can be served\n", errors);
        // What the runtime of .NET leaves there is not the command's.
        Assert.Empty(temporary.EnumerateFileSystemInfos("lab-*"));
        Assert.False(Directory.Exists(Target.File("out")));
    }

    [Fact]
    public async Task Pull_Refused_LeavesADirectoryAsItWas()
    {
        Hub.Files["config.json"] = "{\"dim\":7}"u8.ToArray();
        File.WriteAllText(Target.File("config.json"), "mine");

        await Assert.ThrowsAsync<HubException>(() => PullAsync());

        Assert.Equal("mine", File.ReadAllText(Assert.Single(Directory.EnumerateFileSystemEntries(Target.Path))));
    }

    [Fact]
    public async Task Pull_FilesOfAnotherModelInItsPlace_AreNotMixed()
    {
        File.WriteAllText(Target.File("added_tokens.json"), "{}");

        var error = await Assert.ThrowsAsync<IOException>(() => PullAsync());

        Assert.StartsWith($"{Target.File("added_tokens.json")} is of another model", error.Message, StringComparison.Ordinal);
        Assert.InRange(Hub.WeightBytesSent, 0, HeaderEnd);
        Assert.Single(Directory.EnumerateFileSystemEntries(Target.Path));
    }

    [Fact]
    public async Task Pull_HeaderAndFileDiffer_IsRefusedAndNothingIsLeft()
    {
        // The metadata promise one file, whose header the server shows as another.
        var honest = Model;
        Model = Rewrite(header => header.Replace("\"classifier.weight\"", "\"classifier.weighs\"", StringComparison.Ordinal), 1);
        Hub.SentParts["model.safetensors"] = honest;

        await AssertRefusedAsync("someone/tiny/model.safetensors: tensor \"classifier.weight\": is missing");
    }

    [Theory]
    [InlineData("../../etc/passwd", "is no model's name")]
    [InlineData("a/b/c", "is no model's name")]
    [InlineData("a/b?c", "is no model's name")]
    public async Task Files_NoModelsName_IsRefusedUnsent(string id, string expected)
    {
        using var client = new HubClient(Hub.Endpoint, null);

        var error = await Assert.ThrowsAsync<HubException>(() => client.FilesAsync(id, "main", Cancellation));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Empty(Hub.Requests);
    }

    [Theory]
    [InlineData("""{"rfilename":null,"size":1,"blobId":"x"}""")]
    [InlineData("""{"rfilename":"config.json","size":-1,"blobId":"x"}""")]
    [InlineData("""{"rfilename":"config.json","size":1.5,"blobId":"x"}""")]
    [InlineData("""{"rfilename":"config.json","size":99999999999999999999,"blobId":"x"}""")]
    [InlineData("""{"rfilename":"config.json","size":1,"blobId":null}""")]
    [InlineData("""{"rfilename":"config.json","lfs":{"size":1}}""")]
    [InlineData("""{"rfilename":"config.json","lfs":{"size":"1","sha256":"x"}}""")]
    [InlineData("7")]
    [InlineData("{")]
    public async Task Files_MetadataThatCannotBe_AreRefused(string sibling)
    {
        Hub.Metadata = $$"""{"sha":"{{HubServer.Commit}}","siblings":[{{sibling}}]}""";
        using var client = new HubClient(Hub.Endpoint, null);

        var error = await Assert.ThrowsAsync<HubException>(() => client.FilesAsync(HubServer.Model, "main", Cancellation));

        Assert.Equal("the answer of 127.0.0.1 is none of the hub's", error.Message);
    }

    [Theory]
    [InlineData("config.json", 70_000_000, "someone/tiny/config.json has 70000000 bytes; more than 67108864 are not read")]
    [InlineData("model.safetensors", long.MaxValue, "someone/tiny/model.safetensors has 9223372036854775807 bytes; more than 68719476736 are not read")]
    public async Task Pull_FileOfImpossibleSize_IsRefusedUnfetched(string name, long size, string expected)
    {
        Hub.Metadata = System.Text.Json.JsonSerializer.Serialize(new
        {
            sha = HubServer.Commit,
            siblings = Hub.Files.Keys.Select(file => new { rfilename = file, size = file == name ? size : Hub.Files[file].Length, blobId = HubServer.BlobId(Hub.Files[file]) }),
        });

        await AssertRefusedAsync(expected);

        Assert.DoesNotContain(Hub.Requests, request => request.Path.EndsWith(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://192.0.2.1", Token, "unencrypted")]
    [InlineData("ftp://192.0.2.1", null, "no http or https address")]
    [InlineData("https://192.0.2.1", "two words", "is no token")]
    public void Open_UnsafeSettings_AreRefused(string endpoint, string? token, string expected) =>
        Assert.Contains(expected, Assert.Throws<HubException>(() => new HubClient(endpoint, token)).Message, StringComparison.Ordinal);
}
