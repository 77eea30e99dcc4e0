using System.Diagnostics;

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

    [Fact]
    public async Task Run_ImpossibleOption_OneLineAndAnExitCode()
    {
        var (code, errors) = await RunAsync(("Worker__Threads", "0"));

        Assert.NotEqual(0, code);
        Assert.Equal("error: Worker:Threads is 0; it must be 1 to 256\n", errors);
    }

    private static async Task<(int Code, string Errors)> RunAsync(params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Worker.dll"), "--urls=http://127.0.0.1:0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
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
}
