using Lab.ServiceDefaults.Starts;
using Lab.Testing;
using Lab.Worker.Inference;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Lab.Worker.Tests.Api;

/// <summary>The worker as a process of its own.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Serve_ABackgroundServiceFails_IsAFailure()
    {
        Assert.Equal(ServiceRun.FailureExitCode, await WorkerApplication.ServeAsync(() => WorkerApplication.Create(
            ["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=None"], builder => builder.Services.AddHostedService<FailingService>())));
    }

    private static readonly string[] Arguments = [WorkerProgram.Path, "--urls=http://127.0.0.1:0"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_BrokenModelDirectory_OneLineAndAnExitCode()
    {
        using var directory = TestModels.Write(TestModels.Small);
        using (var file = File.OpenWrite(directory.File("model.safetensors"))) file.SetLength(file.Length - 1);

        var run = await RunAsync(("Worker__ModelDirectory", directory.Path));

        Assert.NotEqual(0, run.Code);
        var line = Assert.Single(run.ErrorLines);
        Assert.Contains(directory.File("model.safetensors"), line, StringComparison.Ordinal);
        Assert.Contains("tensor \"classifier.bias\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoSuchDirectory_OneLineAndAnExitCode()
    {
        var run = await RunAsync(("Worker__ModelDirectory", "/no/such/model"));

        Assert.NotEqual(0, run.Code);
        Assert.Equal("error: /no/such/model: is not a directory\n", run.Error);
    }

    [Theory]
    [InlineData("Worker__Threads", "0", "Worker:Threads is 0; it must be 1 to 256")]
    [InlineData("Worker__ModelName", "a\nb", "Worker:ModelName, or else the directory's name, must have 1 to 256 characters, none of which ends a line or turns the direction of writing")]
    [InlineData("Worker__Precision", "fp16", "Worker:Precision is \"fp16\"; it must be int8 or fp32")]
    [InlineData("Worker__CacheMegabytes", "0", "Worker:CacheMegabytes is 0; it must be 1 to 1048576")]
    [InlineData("Worker__CpuAffinity", "first", "Worker:CpuAffinity is \"first\"; it must be a list of cores such as 0 or 0,2-3, or a place among them such as #1")]
    public async Task Run_ImpossibleOption_OneLineAndAnExitCode(string name, string value, string expected)
    {
        var run = await RunAsync((name, value));

        Assert.NotEqual(0, run.Code);
        Assert.Equal($"error: {expected}\n", run.Error);
    }

    [Fact]
    public async Task Run_CoreThatIsNotItsOwn_SaysWhichAre()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        var allowed = CpuSet.Allowed();
        var other = Enumerable.Range(0, CpuSet.MaxCore).First(core => !allowed.Contains(core));

        var run = await RunAsync(("Worker__CpuAffinity", $"{other}"));

        Assert.NotEqual(0, run.Code);
        Assert.Equal($"error: Worker:CpuAffinity is \"{other}\"; this process may use the cores {CpuSet.Describe(allowed)}\n", run.Error);
    }

    [Fact]
    public async Task Run_WithAffinity_TiesOneThreadAndNoOther()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && CpuSet.Allowed().Count > 1, "Linux with more than one core.");
        var core = CpuSet.Allowed()[0];
        await using var worker = await ServiceProcess.StartAsync("Worker.dll", [$"--Worker:CpuAffinity={core}"]);
        await worker.UntilHealthyAsync();
        using (var response = await worker.Client.PostAsync("/run_model", new StringContent("a"), Cancellation)) response.EnsureSuccessStatusCode();

        var tied = Directory.EnumerateFiles($"/proc/{worker.Id}/task", "status", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Select(File.ReadAllLines)
            .Where(lines => lines.Contains($"Cpus_allowed_list:\t{core}"))
            .Select(lines => lines[0]);

        Assert.Equal(["Name:\tinference"], tied);
    }

    [Fact]
    public async Task Run_PlaceBeyondItsCores_SharesOne()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/taskset"), "Needs taskset (Debian: util-linux).");
        await using var process = ChildProcess.Start(
            "/usr/bin/taskset", ["--cpu-list", $"{CpuSet.Allowed()[^1]}", "dotnet", .. Arguments], new Dictionary<string, string?> { ["Worker__CpuAffinity"] = "#1" });

        await UntilReadyAsync(process);
    }

    [Fact]
    public async Task Run_EnvironmentSilentAboutTelemetry_TheRuntimeGathersNone()
    {
        using var home = new TemporaryDirectory();
        await using var process = ChildProcess.Start(
            "dotnet", Arguments, new Dictionary<string, string?> { ["HOME"] = home.Path, ["XDG_CACHE_HOME"] = null, ["ORT_DISABLE_TELEMETRY"] = null });
        await UntilReadyAsync(process);

        // Where the runtime gathers anything, it keeps it in a database below the home directory.
        Assert.DoesNotContain(Directory.EnumerateFiles(home.Path, "*", SearchOption.AllDirectories),
            file => file.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase));

        process.Signal(ChildProcess.Terminate);
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, process.Error));
    }

    private static Task UntilReadyAsync(ChildProcess worker) => Eventually.TrueAsync(() =>
    {
        Assert.False(worker.HasExited, $"The worker has ended:\n{worker.Output}");
        return worker.Output.Contains("is ready", StringComparison.Ordinal);
    }, "the worker is ready", () => worker.Output);

    private static Task<ProgramRun> RunAsync((string Name, string Value) variable) =>
        ChildProcess.RunAsync("dotnet", Arguments, new Dictionary<string, string?> { [variable.Name] = variable.Value });

    private sealed class FailingService(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Delay(Timeout.Infinite, lifetime.ApplicationStarted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new InvalidOperationException("out of order");
        }
    }
}
