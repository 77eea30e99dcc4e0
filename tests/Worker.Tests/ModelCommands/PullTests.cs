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
        var ranges = _hub.Requests.Where(request => request.Path == "/cdn/model.safetensors").Select(request => request.Range).ToList();
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
        Assert.Equal("bytes=1234567-", Assert.Single(_hub.Requests, request => request.Path == "/cdn/model.safetensors").Range);
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
            _hub.Sent[name][1000] ^= 1;

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

        Assert.Contains("has no model.safetensors", (await Assert.ThrowsAsync<HubException>(() => PullAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_AnotherKindOfModel_IsRefusedBeforeItsWeightsAreFetched()
    {
        _hub.Files["config.json"] = Encoding.UTF8.GetBytes("""{"model_type":"bert"}""");

        var error = await Assert.ThrowsAsync<ModelDirectoryException>(() => PullAsync());

        Assert.Contains("only distilbert can be served", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_hub.Requests, request => request.Path.EndsWith("model.safetensors", StringComparison.Ordinal));
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
    [InlineData("http://192.0.2.1", Token, "unencrypted")]
    [InlineData("ftp://192.0.2.1", null, "no http or https address")]
    [InlineData("https://192.0.2.1", "two words", "is no token")]
    public void Open_UnsafeSettings_AreRefused(string endpoint, string? token, string expected) =>
        Assert.Contains(expected, Assert.Throws<HubException>(() => new HubClient(endpoint, token)).Message, StringComparison.Ordinal);

    private async Task PullAsync(string? token = null)
    {
        using var client = new HubClient(_hub.Endpoint, token);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) });
        await PullCommand.PullAsync(client, HubServer.Model, "main", _directory.Path, console, Cancellation);
    }

    private void AssertWhole()
    {
        Assert.Equal(["config.json", "model.safetensors", "vocab.txt"], Directory.EnumerateFileSystemEntries(_directory.Path).Select(System.IO.Path.GetFileName).Order());
        Assert.Equal(_hub.Files["model.safetensors"], File.ReadAllBytes(Weights));
    }
}
