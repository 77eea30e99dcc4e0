using System.Net;
using Lab.Testing;
using Lab.Worker.Tests.Inference;

namespace Lab.Worker.Tests.Api;

/// <summary>A worker whose machine is about to go finishes what it computes, and refuses the rest as one that computes does.</summary>
public sealed class DepartureTests
{
    private const string Text = """{"text":"fine"}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Announce_WhileComputing_FinishesThatAndRefusesTheNextAsIfItComputed()
    {
        HeldModel model = null!;
        await using var worker = await RunningWorker.StartAsync(inner => model = new(inner), "--Worker:QueueLimit=4");
        model.Hold();
        var first = worker.PostJsonAsync("/run_model", Text, Cancellation);
        await Eventually.DoneAsync(model.Computing.Task, "the first text is computed");
        var waiting = worker.PostJsonAsync("/run_model", Text, Cancellation);
        await Eventually.TrueAsync(() => worker.Gate.Waiting == 1, "the second text waits");

        worker.Departure.Announce("spot interruption", DateTimeOffset.UnixEpoch);

        foreach (var (path, body) in ((string, string)[])[("/run_model", Text), ("/run_batch", """{"texts":["a"]}"""), ("/predict", """{"inputs":"a"}"""), ("/v2/models/minilm-sst2/infer", """{"inputs":[{"name":"text","shape":[1],"datatype":"BYTES","data":["a"]}]}""")])
        {
            using var refused = await worker.PostJsonAsync(path, body, Cancellation);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
            Assert.Contains("about to go", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        // Whoever restarts what is not well would cut off what is computed.
        Assert.Equal(HttpStatusCode.OK, (await worker.Client.GetAsync("/health", Cancellation)).StatusCode);
        model.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await waiting).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await worker.PostJsonAsync("/run_model", Text, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Start_UnderNotice_TakesNoWork()
    {
        await using var metadata = await MetadataServer.StartAsync();
        metadata.Notice = """{"action":"terminate","time":"2026-09-18T08:22:00Z"}""";
        await using var worker = await RunningWorker.StartAsync(inner => inner, $"--Worker:SpotNotices={metadata.Address.AbsoluteUri}");

        await Eventually.TrueAsync(() => worker.Departure.Notice is not null, "the notice is found");

        Assert.Equal(HttpStatusCode.TooManyRequests, (await worker.PostJsonAsync("/run_model", Text, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await worker.Client.GetAsync("/health", Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("ftp://169.254.169.254")]
    public async Task Start_NoAddress_IsToldInOneLine(string address)
    {
        var run = await ChildProcess.RunAsync("dotnet", [WorkerProgram.Path, "--urls=http://127.0.0.1:0", $"--Worker:SpotNotices={address}"]);

        Assert.Equal(1, run.Code);
        Assert.Equal($"error: Worker:SpotNotices is \"{address}\"; it must be an address such as http://169.254.169.254, or empty\n", run.Error);
    }
}
