using System.Net;
using System.Net.Sockets;
using Lab.Testing;
using Lab.Worker.Checkpoints;
using Lab.Worker.Inference;
using Lab.Worker.Tokenization;

namespace Lab.Worker.Tests.Api;

/// <summary>What a worker comes to that cannot serve, or is told to stop before it does.</summary>
public sealed class StartTests
{
    private const int Starts = 6;

    // Native memory that is freed under the thread that loads the model ends one start in four.
    [Fact]
    public async Task Start_TakenPort_OneLineEachTime()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = $"http://{taken.LocalEndpoint}";
        await Parallel.ForAsync(0, Starts, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = TestContext.Current.CancellationToken }, async (_, _) =>
        {
            var run = await RunAsync($"--urls={address}");
            Assert.Equal((1, $"error: --urls (ASPNETCORE_URLS): Failed to bind to address {address}: address already in use. End the program that listens there, or choose another port.\n"), (run.Code, run.Error));
            AssertNoTrace(run);
        });
    }

    [Theory]
    [InlineData("--urls=foo", "--urls (ASPNETCORE_URLS): 'foo' is no address to listen on")]
    [InlineData("--urls=http://127.0.0.1:80a0", "has no host and port that could be read")]
    [InlineData("--urls=http://203.0.113.9:8000", "cannot listen on 203.0.113.9:8000")]
    [InlineData("--urls=http://unix:/no/such/lab.sock", "cannot listen on /no/such/lab.sock")]
    [InlineData("--urls=http://127.0.0.1:0; http://203.0.113.9:8000", "cannot listen on 203.0.113.9:8000")]
    [InlineData("--urls= ", "--urls (ASPNETCORE_URLS) is ' ', and names no address")]
    [InlineData("--http_ports=abc", "ASPNETCORE_HTTP_PORTS is 'abc'; it must be a port from 0 to 65535")]
    [InlineData("--Kestrel:Endpoints:a:Url=foo", "Kestrel:Endpoints:a:Url: 'foo' is no address to listen on")]
    [InlineData("--Worker:Threads=two", "Worker:Threads is 'two'; it must be a whole number")]
    [InlineData("--Worker:CacheMegabytes=4GB", "Worker:CacheMegabytes is '4GB'; it must be a whole number")]
    [InlineData("--Worker:Deterministic=maybe", "Worker:Deterministic is 'maybe'; it must be true or false")]
    [InlineData("--Logging:LogLevel:Default=Loud", "Logging:LogLevel:Default is 'Loud'; it must be Trace, Debug")]
    [InlineData("--contentRoot=/no/such", "--contentRoot: there is no directory '/no/such")]
    public async Task Start_SettingOfNoUse_OneLineThatNamesIt(string setting, string expected)
    {
        var run = await RunAsync(setting);

        Assert.Equal(1, run.Code);
        Assert.Contains(expected, Assert.Single(run.ErrorLines), StringComparison.Ordinal);
        AssertNoTrace(run);
    }

    [Fact]
    public async Task Dispose_WhileTheModelWarmsUp_FreesItAfterwards()
    {
        using var held = new HeldWarmUp();
        var worker = await RunningWorker.StartAsync(telemetry => Model(held, telemetry), waitUntilReady: false);
        await Eventually.DoneAsync(held.Computing.Task, "the model warms up");

        var disposed = Task.Run(async () => await worker.DisposeAsync(), TestContext.Current.CancellationToken);
        // Where nothing waits for the thread, the model is gone long before.
        await Task.WhenAny(held.Freed.Task, Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken));
        Assert.False(held.Freed.Task.IsCompleted, "the model was freed under the thread that computes with it");
        held.Release();

        await Eventually.DoneAsync(disposed, "the worker has ended");
        Assert.True(held.Freed.Task.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Serve_StopSignalWhileItWaitsForTheCache_EndsWithZero()
    {
        using var cache = new TemporaryDirectory();
        // As another worker does that compiles the same model.
        await using var compiles = new FileStream(cache.File(".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        await using var worker = await ServiceProcess.StartAsync("Worker.dll", [$"--Worker:CacheDirectory={cache.Path}"]);

        Assert.Equal(0, await worker.TerminateAsync());
        Assert.DoesNotContain("xception", worker.Output, StringComparison.Ordinal);
    }

    private static TextModel Model(ILogitsModel logits, WorkerTelemetry telemetry)
    {
        var config = EncoderConfig.Read(TestModels.Bundled);
        return new(new("minilm-sst2", "", config.Labels, config.MaxPositions),
            new BertTokenizer(Vocabulary.Read(TestModels.Bundled, config.VocabSize), new(Lowercase: true), config.MaxPositions), logits, telemetry);
    }

    private static Task<ProgramRun> RunAsync(params string[] settings) =>
        ChildProcess.RunAsync("dotnet", [WorkerProgram.Path, .. settings], new Dictionary<string, string?> { ["ASPNETCORE_URLS"] = null });

    private static void AssertNoTrace(ProgramRun run) => Assert.DoesNotContain(" at ", run.Output, StringComparison.Ordinal);

    private sealed class HeldWarmUp : ILogitsModel
    {
        private readonly ManualResetEventSlim _release = new();

        public TaskCompletionSource Computing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Freed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _release.Set();

        public float[][] ComputeLogits(IReadOnlyList<TokenizedText> texts)
        {
            Computing.TrySetResult();
            if (!_release.Wait(TimeSpan.FromSeconds(60))) throw new TimeoutException("The test never let the computation go.");
            return [.. texts.Select(_ => new float[2])];
        }

        public void Dispose() => Freed.TrySetResult();
    }
}
