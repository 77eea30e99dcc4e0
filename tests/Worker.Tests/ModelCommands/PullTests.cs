using System.Runtime.InteropServices;
using Lab.Testing;
using Lab.Worker.ModelCommands;
using Lab.Worker.ModelCommands.Hub;

namespace Lab.Worker.Tests.ModelCommands;

/// <summary>What can be served is fetched, and goes on where it was cut off.</summary>
public sealed class PullTests : HubTests
{
    [Fact]
    public async Task Pull_Program_FetchesAModelThatCanBeServed()
    {
        var (code, output, errors) = await WorkerProgram.RunAsync(
            ["model", "pull", HubServer.Model, "--output", Target.Path], new() { ["HF_ENDPOINT"] = Hub.Endpoint, ["HF_TOKEN"] = Token });

        Assert.Equal((0, ""), (code, errors));
        AssertWhole();
        Assert.Contains(HubServer.Commit, output, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, output, StringComparison.Ordinal);
        var (checkCode, checkOutput, _) = await WorkerProgram.RunAsync("model", "check", Target.Path);
        Assert.Equal(0, checkCode);
        Assert.Contains($"OK: {Target.Path} can be served as int8.", checkOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_Token_GoesToTheHubAndToNoOtherHost()
    {
        await PullAsync(Token);

        Assert.All(Hub.Requests, request => Assert.Equal(
            request.Path.StartsWith("/cdn/", StringComparison.Ordinal) ? "" : $"Bearer {Token}", request.Authorization));
        Assert.Contains(Hub.Requests, request => request.Path.StartsWith("/cdn/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_ConnectionCut_GoesOnWhereItWas()
    {
        Hub.Cuts.Enqueue(3_000_000);
        Hub.Cuts.Enqueue(5_000_000);

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
        File.WriteAllBytes(Part, Hub.Files["model.safetensors"][..1_234_567]);

        await PullAsync();

        AssertWhole();
        Assert.Equal(["bytes=0-7", $"bytes=8-{HeaderEnd - 1}", "bytes=1234567-"], WeightRanges());
    }

    [Fact]
    public async Task Pull_ServerWithoutRanges_BeginsAgain()
    {
        Hub.HonoursRange = false;
        Hub.Cuts.Enqueue(3_000_000);

        await PullAsync();

        AssertWhole();
    }

    [Fact]
    public async Task Pull_OtherContentThanPromised_IsRefusedAndNothingIsLeft()
    {
        foreach (var name in (string[])["vocab.txt", "model.safetensors"])
        {
            Hub.Sent.Clear();
            Hub.Sent[name] = [.. Hub.Files[name]];
            Hub.Sent[name][^1] ^= 1;

            var error = await Assert.ThrowsAsync<HubException>(() => PullAsync());

            Assert.StartsWith($"{name}: ", error.Message, StringComparison.Ordinal);
            Assert.Contains("hash", error.Message, StringComparison.Ordinal);
            Assert.False(File.Exists(Target.File(name)));
            Assert.False(File.Exists(Part));
        }
    }

    [Fact]
    public async Task Pull_MoreBytesThanPromised_IsRefused()
    {
        Hub.Sent["vocab.txt"] = [.. Hub.Files["vocab.txt"], 1];

        Assert.Contains("more than", (await Assert.ThrowsAsync<HubException>(() => PullAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_InterruptedWhileItLooks_LeavesNothing()
    {
        Hub.Stall = 4;
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var pull = PullAsync(output: Target.File("out"), cancellationToken: interrupt.Token);
        await Eventually.TrueAsync(() => WeightRanges().Any(), "the weights' header is asked for");

        await interrupt.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Target.Path));
    }

    [Fact]
    public async Task Pull_InterruptedAmongTheWeights_GoesOnTheNextTime()
    {
        Hub.Stall = 3_000_000;
        using (var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Cancellation))
        {
            var pull = PullAsync(cancellationToken: interrupt.Token);
            await Eventually.TrueAsync(() => File.Exists(Part) && new FileInfo(Part).Length > 0, "the first weights are written");
            await interrupt.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        }

        // Nothing of the model is where it would be served from.
        Assert.Equal([Part], Directory.EnumerateFiles(Target.Path, "*", SearchOption.AllDirectories));
        Hub.Stall = null;
        await PullAsync();

        AssertWhole();
        Assert.Matches("^bytes=[1-9][0-9]*-$", WeightRanges().Last());
    }

    [Fact]
    public async Task Pull_DiskTooSmall_SaysSoBeforeItIsFull()
    {
        // A file system of a megabyte, in a mount namespace of its own that is gone with the program.
        var script = $"mount -t tmpfs -o size=1m none '{Target.Path}' && exec dotnet '{WorkerProgram.Path}' model pull {HubServer.Model} --output '{Target.Path}/model'";
        var (probe, _, _) = await ChildProcess.RunAsync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", Target.Path]);
        Assert.SkipUnless(RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && probe == 0, "No mount namespaces here.");

        var (code, _, errors) = await ChildProcess.RunAsync("unshare", ["-rm", "sh", "-c", script], new Dictionary<string, string?> { ["HF_ENDPOINT"] = Hub.Endpoint });

        Assert.Equal(ModelCommand.FailureExitCode, code);
        Assert.Matches("^error: the disk is too full: 8 MB are to come, and 1 MB are free at .*\n$", errors);
    }
}
