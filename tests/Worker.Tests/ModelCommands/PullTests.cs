using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using Lab.Testing;
using Lab.Worker.Checkpoints;
using Lab.Worker.ModelCommands;
using Lab.Worker.ModelCommands.Hub;
using Spectre.Console;

namespace Lab.Worker.Tests.ModelCommands;

public sealed class PullTests : IAsyncLifetime
{
    private const string Token = "hf_secret0123456789";

    private readonly TemporaryDirectory _directory = new();
    private HubServer _hub = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private byte[] Model
    {
        get => _hub.Files["model.safetensors"];
        set => _hub.Files["model.safetensors"] = value;
    }

    private int HeaderEnd => sizeof(ulong) + (int)BitConverter.ToUInt64(Model);

    private string Weights => _directory.File("model.safetensors");

    private string Part => System.IO.Path.Combine(_directory.Path, $".pull-{HubServer.Commit}", "model.safetensors.part");

    public async ValueTask InitializeAsync() => _hub = await HubServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Pull_Program_FetchesAModelThatCanBeServed()
    {
        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "pull", HubServer.Model, "--output", _directory.Path], new() { ["HF_ENDPOINT"] = _hub.Endpoint, ["HF_TOKEN"] = Token });

        Assert.Equal((0, ""), (code, errors));
        AssertWhole();
        Assert.Contains(HubServer.Commit, output, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, output, StringComparison.Ordinal);
        var (checkCode, checkOutput, _) = await WorkerProgram.RunAsync("model", "check", _directory.Path);
        Assert.Equal(0, checkCode);
        Assert.Contains($"OK: {_directory.Path} can be served as int8.", checkOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Token_GoesToTheHubAndToNoOtherHost()
    {
        await PullAsync(Token);

        Assert.All(_hub.Requests, request => Assert.Equal(
            request.Path.StartsWith("/cdn/", StringComparison.Ordinal) ? "" : $"Bearer {Token}", request.Authorization));
        Assert.Contains(_hub.Requests, request => request.Path.StartsWith("/cdn/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_ConnectionCut_GoesOnWhereItWas()
    {
        _hub.Cuts.Enqueue(3_000_000);
        _hub.Cuts.Enqueue(5_000_000);

        await PullAsync();

        AssertWhole();
        var ranges = WeightRanges().Skip(2).ToList();
        Assert.Equal(3, ranges.Count);
        Assert.Equal("", ranges[0]);
        // What was under way when the connection was cut may be lost.
        Assert.All(ranges[1..], range => Assert.Matches("^bytes=[1-9][0-9]*-$", range));
    }

    [Fact]
    public async Task Pull_PartOfAnEarlierAttempt_AsksForTheRest()
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Part)!);
        File.WriteAllBytes(Part, _hub.Files["model.safetensors"][..1_234_567]);

        await PullAsync();

        AssertWhole();
        Assert.Equal(["bytes=0-7", $"bytes=8-{HeaderEnd - 1}", "bytes=1234567-"], WeightRanges());
    }

    [Fact]
    public async Task Pull_ServerWithoutRanges_BeginsAgain()
    {
        _hub.HonoursRange = false;
        _hub.Cuts.Enqueue(3_000_000);

        await PullAsync();

        AssertWhole();
    }

    [Fact]
    public async Task Pull_OtherContentThanPromised_IsRefusedAndNothingIsLeft()
    {
        foreach (var name in (string[])["vocab.txt", "model.safetensors"])
        {
            _hub.Sent.Clear();
            _hub.Sent[name] = [.. _hub.Files[name]];
            _hub.Sent[name][^1] ^= 1;

            var error = await Assert.ThrowsAsync<HubException>(() => PullAsync());

            Assert.StartsWith($"{name}: ", error.Message, StringComparison.Ordinal);
            Assert.Contains("hash", error.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(_directory.File(name)));
            Assert.False(File.Exists(Part));
        }
    }

    [Fact]
    public async Task Pull_MoreBytesThanPromised_IsRefused()
    {
        _hub.Sent["vocab.txt"] = [.. _hub.Files["vocab.txt"], 1];

        Assert.Contains("more than", (await Assert.ThrowsAsync<HubException>(() => PullAsync())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound, null, "no such model, revision or file")]
    [InlineData(HttpStatusCode.Unauthorized, null, "HF_TOKEN gives your token")]
    [InlineData(HttpStatusCode.Unauthorized, Token, "the token in HF_TOKEN does not open it")]
    [InlineData(HttpStatusCode.Forbidden, Token, "the token in HF_TOKEN does not open it")]
    public async Task Pull_Refused_SaysWhyWithoutTheToken(HttpStatusCode status, string? token, string expected)
    {
        _hub.Status = status;

        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "pull", HubServer.Model, "--output", _directory.Path], new() { ["HF_ENDPOINT"] = _hub.Endpoint, ["HF_TOKEN"] = token });

        Assert.Equal(ModelCommand.FailureExitCode, code);
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: someone/tiny at main: ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, output + errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task Pull_NoWeightsInSafetensors_SaysSo()
    {
        _hub.Files.Remove("model.safetensors");

        await AssertRefusedAsync("someone/tiny has no model.safetensors, and nothing else can be read in its place");
    }

    [Fact]
    public async Task Pull_PickleOnly_SaysHowToConvertIt()
    {
        _hub.Files.Remove("model.safetensors");
        _hub.Files["pytorch_model.bin"] = [1];

        await AssertRefusedAsync("M.from_pretrained('someone/tiny').save_pretrained('DIR')");
    }

    [Fact]
    public async Task Pull_AnotherKindOfModel_IsRefusedByItsConfigAlone()
    {
        _hub.Files["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"roberta"}""");
        // What it lacks besides matters less.
        _hub.Files.Remove("model.safetensors");

        await AssertRefusedAsync("someone/tiny/config.json: model_type is \"roberta\"; only distilbert can be served");

        Assert.Equal(2, _hub.Requests.Count);
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
            "shape" => Rewrite(header => header.Replace("\"shape\":[2,128]", "\"shape\":[128,2]", StringComparison.Ordinal), 1),
            "name" => Rewrite(header => header.Replace("\"classifier.weight\"", "\"classifier.weighs\"", StringComparison.Ordinal), 1),
            "offsets" => [.. Model, 0],
            "json" => Rewrite(_ => "{", 1),
            "length" => [.. BitConverter.GetBytes(ulong.MaxValue), .. Model[8..]],
            "short" => Model[..4],
            _ => [],
        };

        await AssertRefusedAsync(expected);

        Assert.InRange(_hub.WeightBytesSent, 0, 2 * headerEnd);
    }

    [Fact]
    public async Task Pull_ServerWithoutRangesAndWeightsThatCannotBeServed_ReadsNoMoreThanTheHeader()
    {
        _hub.HonoursRange = false;
        Model = Rewrite(header => header.Replace("\"classifier.weight\"", "\"classifier.weighs\"", StringComparison.Ordinal), 1);
        // Were more than that waited for, the test would not end.
        _hub.Stall = HeaderEnd;

        await AssertRefusedAsync("tensor \"classifier.weight\": is missing");
    }

    [Theory]
    [InlineData("vocab.txt", "[CLX]", "someone/tiny/vocab.txt: the token [CLS] is missing")]
    [InlineData("tokenizer_config.json", "[]", "someone/tiny/tokenizer_config.json: ")]
    [InlineData("config.json", "{", "someone/tiny/config.json: is not JSON")]
    public async Task Pull_OtherFilesThatCannotBeServed_AreRefusedBeforeAnyWeights(string name, string content, string expected)
    {
        _hub.Files[name] = name == "vocab.txt"
            ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(_hub.Files[name]).Replace("[CLS]", content, StringComparison.Ordinal))
            : Encoding.UTF8.GetBytes(content);

        await AssertRefusedAsync(expected);

        Assert.InRange(_hub.WeightBytesSent, 0, HeaderEnd);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "X-Error-Code", "GatedRepo", null, "the model is gated; ask for access on its page")]
    [InlineData(HttpStatusCode.Forbidden, "X-Error-Code", "GatedRepo", Token, "the model is gated, and the token in HF_TOKEN has no access")]
    [InlineData(HttpStatusCode.Unauthorized, "X-Error-Message", "Invalid credentials in Authorization header", Token, "the hub does not know the token in HF_TOKEN")]
    [InlineData(HttpStatusCode.NotFound, "X-Error-Code", "EntryNotFound", null, "the hub has no such model, revision or file")]
    public async Task Pull_FilesRefused_SaysWhyAndLeavesNothing(HttpStatusCode status, string name, string value, string? token, string expected)
    {
        _hub.Refusal = (status, name, value);

        await AssertRefusedAsync($"someone/tiny/config.json: {expected}", token);
    }

    [Fact]
    public async Task Pull_ProgramRefuses_OneLineAndNothingLeft()
    {
        _hub.Files["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"roberta"}""");
        var temporary = Directory.CreateDirectory(_directory.File("tmp"));

        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "pull", HubServer.Model, "--output", _directory.File("out")], new() { ["HF_ENDPOINT"] = _hub.Endpoint, ["TMPDIR"] = temporary.FullName });

        Assert.Equal((ModelCommand.FailureExitCode, ""), (code, output));
        Assert.Equal("error: someone/tiny/config.json: model_type is \"roberta\"; only distilbert can be served\n", errors);
        // What the runtime of .NET leaves there is not the command's.
        Assert.Empty(temporary.EnumerateFileSystemInfos("lab-*"));
        Assert.False(Directory.Exists(_directory.File("out")));
    }

    [Fact]
    public async Task Pull_InterruptedWhileItLooks_LeavesNothing()
    {
        _hub.Stall = 4;
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var pull = PullAsync(output: _directory.File("out"), cancellationToken: interrupt.Token);
        await Eventually.TrueAsync(() => WeightRanges().Any(), "the weights' header is asked for");

        await interrupt.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task Pull_InterruptedAmongTheWeights_GoesOnTheNextTime()
    {
        _hub.Stall = 3_000_000;
        using (var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            var pull = PullAsync(cancellationToken: interrupt.Token);
            await Eventually.TrueAsync(() => File.Exists(Part) && new FileInfo(Part).Length > 0, "the first weights are written");
            await interrupt.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        }

        // Nothing of the model is where it would be served from.
        Assert.Equal([Part], Directory.EnumerateFiles(_directory.Path, "*", SearchOption.AllDirectories));
        _hub.Stall = null;
        await PullAsync();

        AssertWhole();
        Assert.Matches("^bytes=[1-9][0-9]*-$", WeightRanges().Last());
    }

    [Fact]
    public async Task Pull_Refused_LeavesADirectoryAsItWas()
    {
        _hub.Files["config.json"] = "{\"dim\":7}"u8.ToArray();
        File.WriteAllText(_directory.File("config.json"), "mine");

        await Assert.ThrowsAsync<HubException>(() => PullAsync());

        Assert.Equal("mine", File.ReadAllText(Assert.Single(Directory.EnumerateFileSystemEntries(_directory.Path))));
    }

    [Fact]
    public async Task Pull_FilesOfAnotherModelInItsPlace_AreNotMixed()
    {
        File.WriteAllText(_directory.File("added_tokens.json"), "{}");

        var error = await Assert.ThrowsAsync<IOException>(() => PullAsync());

        Assert.StartsWith($"{_directory.File("added_tokens.json")} is of another model", error.Message, StringComparison.Ordinal);
        Assert.InRange(_hub.WeightBytesSent, 0, HeaderEnd);
        Assert.Single(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task Preview_Shards_HasTheHeaderOfEach()
    {
        AddShards("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        using var client = new HubClient(_hub.Endpoint, null);
        var (commit, files) = await client.FilesAsync(HubServer.Model, "main", Cancellation);
        string[] names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        var length = _hub.Files[names[0]].Length;
        var entries = 0;

        using var preview = await HubPreview.FetchAsync(HubServer.Model, files, new(client, HubServer.Model, commit, TimeProvider.System), directory =>
        {
            foreach (var name in names)
            {
                using var shard = SafetensorsFile.Open(System.IO.Path.Combine(directory, name));
                Assert.Equal(length, shard.FileBytes);
                entries += shard.Entries.Count;
            }
        }, Cancellation);

        Assert.Equal(names, preview.Weights.Select(file => file.Name));
        Assert.Equal(["config.json", "vocab.txt", "model.safetensors.index.json"], preview.Small.Select(file => file.Name));
        Assert.NotEqual(0, entries);
        Assert.InRange(_hub.WeightBytesSent, 1, length / 100);
    }

    [Fact]
    public async Task Pull_Shards_AreServedAsTheOneFileIs()
    {
        var names = Split();

        await PullAsync();

        LoadedModel.Check(_directory.Path);
        Assert.Equal(["config.json", .. names, "model.safetensors.index.json", "vocab.txt"], Directory.EnumerateFileSystemEntries(_directory.Path).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var name in names) Assert.Equal(_hub.Files[name], File.ReadAllBytes(_directory.File(name)));
    }

    [Fact]
    public async Task Pull_ShardThatLacksATensor_IsRefusedByTheHeaders()
    {
        var last = Split()[^1];
        _hub.Files[last] = [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}'];

        await AssertRefusedAsync($"someone/tiny/{last}: tensor ");
    }

    [Theory]
    [InlineData("../evil.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("/etc/evil.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("a/b.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("a\\b.safetensors", "which is not the name of a safetensors file of this directory")]
    [InlineData("pytorch_model.bin", "which is not the name of a safetensors file of this directory")]
    public async Task Pull_ShardOfAnotherPlace_IsRefused(string name, string expected)
    {
        AddShards(name);

        await AssertRefusedAsync(expected);

        Assert.Equal(0, _hub.WeightBytesSent);
    }

    [Fact]
    public async Task Pull_ShardThatIsNotThere_IsNamed()
    {
        AddShards("model-00001-of-00001.safetensors");
        _hub.Files.Remove("model-00001-of-00001.safetensors");

        await AssertRefusedAsync("someone/tiny has no model-00001-of-00001.safetensors, which model.safetensors.index.json names");
    }

    [Fact]
    public async Task Pull_HeaderAndFileDiffer_IsRefusedAndNothingIsLeft()
    {
        // The metadata promise one file, whose header the server shows as another.
        var honest = Model;
        Model = Rewrite(header => header.Replace("\"classifier.weight\"", "\"classifier.weighs\"", StringComparison.Ordinal), 1);
        _hub.SentParts["model.safetensors"] = honest;

        await AssertRefusedAsync("someone/tiny/model.safetensors: tensor \"classifier.weight\": is missing");
    }

    [Fact]
    public async Task Pull_DiskTooSmall_SaysSoBeforeItIsFull()
    {
        // A file system of a megabyte, in a mount namespace of its own that is gone with the program.
        var script = $"mount -t tmpfs -o size=1m none '{_directory.Path}' && exec dotnet '{WorkerProgram.Path}' model pull {HubServer.Model} --output '{_directory.Path}/model'";
        var (probe, _, _) = await ChildProcess.RunAsync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", _directory.Path]);
        Assert.SkipUnless(RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && probe == 0, "No mount namespaces here.");

        var (code, _, errors) = await ChildProcess.RunAsync("unshare", ["-rm", "sh", "-c", script], new Dictionary<string, string?> { ["HF_ENDPOINT"] = _hub.Endpoint });

        Assert.Equal(ModelCommand.FailureExitCode, code);
        Assert.Matches("^error: the disk is too full: 8 MB are to come, and 1 MB are free at .*\n$", errors);
    }

    [Theory]
    [InlineData("../../etc/passwd", "is no model's name")]
    [InlineData("a/b/c", "is no model's name")]
    [InlineData("a/b?c", "is no model's name")]
    public async Task Files_NoModelsName_IsRefusedUnsent(string id, string expected)
    {
        using var client = new HubClient(_hub.Endpoint, null);

        var error = await Assert.ThrowsAsync<HubException>(() => client.FilesAsync(id, "main", Cancellation));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Requests);
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
        _hub.Metadata = $$"""{"sha":"{{HubServer.Commit}}","siblings":[{{sibling}}]}""";
        using var client = new HubClient(_hub.Endpoint, null);

        var error = await Assert.ThrowsAsync<HubException>(() => client.FilesAsync(HubServer.Model, "main", Cancellation));

        Assert.Equal("the answer of 127.0.0.1 is none of the hub's", error.Message);
    }

    [Theory]
    [InlineData("config.json", 70_000_000, "someone/tiny/config.json has 70000000 bytes; more than 67108864 are not read")]
    [InlineData("model.safetensors", long.MaxValue, "someone/tiny/model.safetensors has 9223372036854775807 bytes; more than 68719476736 are not read")]
    public async Task Pull_FileOfImpossibleSize_IsRefusedUnfetched(string name, long size, string expected)
    {
        _hub.Metadata = System.Text.Json.JsonSerializer.Serialize(new
        {
            sha = HubServer.Commit,
            siblings = _hub.Files.Keys.Select(file => new { rfilename = file, size = file == name ? size : _hub.Files[file].Length, blobId = HubServer.BlobId(_hub.Files[file]) }),
        });

        await AssertRefusedAsync(expected);

        Assert.DoesNotContain(_hub.Requests, request => request.Path.EndsWith(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://192.0.2.1", Token, "unencrypted")]
    [InlineData("ftp://192.0.2.1", null, "no http or https address")]
    [InlineData("https://192.0.2.1", "two words", "is no token")]
    public void Open_UnsafeSettings_AreRefused(string endpoint, string? token, string expected) =>
        Assert.Contains(expected, Assert.Throws<HubException>(() => new HubClient(endpoint, token)).Message, StringComparison.Ordinal);

    private async Task AssertRefusedAsync(string expected, string? token = null)
    {
        var output = _directory.File("a/b");
        var error = await Assert.ThrowsAsync<HubException>(() => PullAsync(token, output));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("someone/tiny", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.Path));
    }

    // The model in two files.
    private string[] Split()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory.File("model.safetensors"), Model);
        using var whole = SafetensorsFile.Open(directory.File("model.safetensors"));
        var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string[] names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        foreach (var (name, entries) in names.Zip(whole.Entries.Values.OrderBy(entry => entry.Begin).Chunk((whole.Entries.Count + 1) / 2)))
        {
            var start = entries[0].Begin;
            var header = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(entries.ToDictionary(
                entry => entry.Name, entry => new { dtype = entry.ElementType, shape = entry.Shape, data_offsets = (long[])[entry.Begin - start, entry.End - start] }));
            _hub.Files[name] = [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. entries.SelectMany(entry => whole.Bytes(entry).ToArray())];
            foreach (var entry in entries) map.Add(entry.Name, name);
        }

        _hub.Files.Remove("model.safetensors");
        _hub.Files["model.safetensors.index.json"] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { metadata = new { }, weight_map = map });
        return names;
    }

    // Tensors of the same model in each file; which are where is no matter here.
    private void AddShards(params string[] names)
    {
        foreach (var name in names) _hub.Files[name] = Model;
        _hub.Files.Remove("model.safetensors");
        var map = names.Select((name, i) => KeyValuePair.Create($"tensor{i}", name)).ToDictionary();
        _hub.Files["model.safetensors.index.json"] = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { metadata = new { }, weight_map = map });
    }

    private IEnumerable<string> WeightRanges() => _hub.Requests.Where(request => request.Path == "/cdn/model.safetensors").Select(request => request.Range);

    // The same file with another header, its numbers repeated so that they fit larger elements.
    private byte[] Rewrite(Func<string, string> change, int times)
    {
        var header = change(Encoding.UTF8.GetString(Model[8..HeaderEnd]));
        if (times > 1)
            header = System.Text.RegularExpressions.Regex.Replace(header, "\"data_offsets\":\\[(\\d+),(\\d+)\\]", match => $"\"data_offsets\":[{Times(match.Groups[1])},{Times(match.Groups[2])}]");
        var numbers = Enumerable.Repeat(Model[HeaderEnd..], times).SelectMany(bytes => bytes);
        return [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. numbers];

        long Times(System.Text.RegularExpressions.Group number) => times * long.Parse(number.Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task PullAsync(string? token = null, string? output = null, CancellationToken? cancellationToken = null)
    {
        using var client = new HubClient(_hub.Endpoint, token);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) });
        await PullCommand.PullAsync(client, HubServer.Model, "main", output ?? _directory.Path, console, cancellationToken ?? Cancellation);
    }

    private void AssertWhole()
    {
        Assert.Equal(["config.json", "model.safetensors", "vocab.txt"], Directory.EnumerateFileSystemEntries(_directory.Path).Select(System.IO.Path.GetFileName).Order());
        Assert.Equal(_hub.Files["model.safetensors"], File.ReadAllBytes(Weights));
    }
}
