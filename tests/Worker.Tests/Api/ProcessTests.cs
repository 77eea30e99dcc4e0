using System.Diagnostics;
using Lab.Tests.Protocols;
using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Api;

/// <summary>The worker as a process of its own.</summary>
public sealed class ProcessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_BrokenModelDirectory_OneLineAndAnExitCode()
    {
        using var directory = TestModels.Write(TestModels.Small);
        using (var file = File.OpenWrite(directory.File("model.safetensors"))) file.SetLength(file.Length - 1);

        var (code, errors) = await RunAsync(("Worker__ModelDirectory", directory.Path));

        Assert.NotEqual(0, code);
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(directory.File("model.safetensors"), line, StringComparison.Ordinal);
        Assert.Contains("tensor \"classifier.bias\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoSuchDirectory_OneLineAndAnExitCode()
    {
        var (code, errors) = await RunAsync(("Worker__ModelDirectory", "/no/such/model"));

        Assert.NotEqual(0, code);
        Assert.Equal("error: /no/such/model: is not a directory\n", errors);
    }

    [Theory]
    [InlineData("Worker__Threads", "0", "Worker:Threads is 0; it must be 1 to 256")]
    [InlineData("Worker__Precision", "fp16", "Worker:Precision is \"fp16\"; it must be int8 or fp32")]
    [InlineData("Worker__CacheMegabytes", "0", "Worker:CacheMegabytes is 0; it must be 1 to 1048576")]
    [InlineData("Worker__CpuAffinity", "first", "Worker:CpuAffinity is \"first\"; it must be a list of cores such as 0 or 0,2-3, or a place among them such as #1")]
    public async Task Run_ImpossibleOption_OneLineAndAnExitCode(string name, string value, string expected)
    {
        var (code, errors) = await RunAsync((name, value));

        Assert.NotEqual(0, code);
        Assert.Equal($"error: {expected}\n", errors);
    }

    [Fact]
    public async Task Run_CoreThatIsNotItsOwn_SaysWhichAre()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux only.");
        var allowed = CpuSet.Allowed();
        var other = Enumerable.Range(0, CpuSet.MaxCore).First(core => !allowed.Contains(core));

        var (code, errors) = await RunAsync(("Worker__CpuAffinity", $"{other}"));

        Assert.NotEqual(0, code);
        Assert.Equal($"error: Worker:CpuAffinity is \"{other}\"; this process may use the cores {CpuSet.Describe(allowed)}\n", errors);
    }

    [Fact]
    public async Task Run_WithAffinity_TiesOneThreadAndNoOther()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && CpuSet.Allowed().Count > 1, "Linux with more than one core.");
        var core = CpuSet.Allowed()[0];
        await using var worker = await ServiceProcess.StartAsync("Worker.dll", [$"--Worker:CpuAffinity={core}"], Cancellation);
        await worker.ReadyAsync(Cancellation);
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
        var start = StartInfo(("Worker__CpuAffinity", "#1"));
        string[] arguments = ["--cpu-list", $"{CpuSet.Allowed()[^1]}", start.FileName, .. start.ArgumentList];
        start.FileName = "/usr/bin/taskset";
        start.ArgumentList.Clear();
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        try
        {
            string? line;
            do line = await process.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            while (line?.Contains("is ready", StringComparison.Ordinal) is false);
            Assert.NotNull(line);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
        }
    }

    [Fact]
    public async Task Run_EnvironmentSilentAboutTelemetry_TheRuntimeGathersNone()
    {
        using var home = new TemporaryDirectory();
        var start = StartInfo(("HOME", home.Path), ("XDG_CACHE_HOME", null), ("ORT_DISABLE_TELEMETRY", null));
        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(Cancellation);
            while (await process.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation) is { } line
                && !line.Contains("is ready", StringComparison.Ordinal))
            {
            }

            // Where the runtime gathers anything, it keeps it in a database below the home directory.
            Assert.DoesNotContain(Directory.EnumerateFiles(home.Path, "*", SearchOption.AllDirectories),
                file => file.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase));

            using (var terminate = Process.Start("/bin/sh", ["-c", $"kill {process.Id}"])) await terminate.WaitForExitAsync(Cancellation);
            await process.StandardOutput.ReadToEndAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            await process.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            Assert.Equal((0, ""), (process.ExitCode, await errors));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static async Task<(int Code, string Errors)> RunAsync(params (string Name, string? Value)[] environment)
    {
        using var process = Process.Start(StartInfo(environment))!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(Cancellation);
            var errors = process.StandardError.ReadToEndAsync(Cancellation);
            await process.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
            await output;
            return (process.ExitCode, await errors);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static ProcessStartInfo StartInfo(params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Worker.dll"), "--urls=http://127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return start;
    }
}
