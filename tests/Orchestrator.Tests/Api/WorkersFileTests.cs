using Lab.Testing;
using static Lab.Orchestrator.Tests.Api.RunningOrchestrator;

namespace Lab.Orchestrator.Tests.Api;

public sealed class WorkersFileTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WorkersFile_Changes_IsFollowedWithoutRestart()
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        await using var first = await StubWorker.StartAsync();
        await using var second = await StubWorker.StartAsync();
        var path = Path.Combine(directory.FullName, "workers.json");
        await File.WriteAllTextAsync(path, $$"""{"a":"{{first.Address}}"}""", Cancellation);
        await using var lab = await StartAsync(workers: 0, $"--Orchestrator:WorkersFile={path}");
        await lab.UntilAsync(table => table.Count == 1 && table["a"].Status == "free");

        await File.WriteAllTextAsync(path, "{ broken", Cancellation);
        await lab.UntilLoggedAsync("kept as it was");
        Assert.Equal("free", (await lab.GetWorkersAsync())["a"].Status);
        var renamed = Path.Combine(directory.FullName, "new.json");
        await File.WriteAllTextAsync(renamed, $$"""{"b":"{{second.Address}}","a":"{{first.Address}}"}""", Cancellation);
        File.Move(renamed, path, overwrite: true);
        await lab.UntilAsync(table => table.Count == 2 && table["b"].Status == "free");

        await File.WriteAllTextAsync(path, $$"""{"b":"{{second.Address}}"}""", Cancellation);
        await lab.UntilAsync(table => table.Count == 1 && table.ContainsKey("b"));
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task WorkersFile_MountedByLinks_IsFollowed()
    {
        using var mount = new KubernetesMount();
        await using var first = await StubWorker.StartAsync();
        await using var second = await StubWorker.StartAsync();
        await mount.SetAsync(("workers.json", $$"""{"a":"{{first.Address}}"}"""));
        await using var lab = await StartAsync(workers: 0, $"--Orchestrator:WorkersFile={mount.PathOf("workers.json")}");
        await lab.UntilAsync(table => table.Count == 1 && table["a"].Status == "free");

        // As long as the other and of the same date.
        await mount.SetAsync(("workers.json", $$"""{"b":"{{second.Address}}"}"""));
        await lab.UntilAsync(table => table.Count == 1 && table.ContainsKey("b"));
    }

    [Fact]
    public async Task WorkersFile_GoneCutOffOrNoFile_KeepsTheListAndIsFollowedWhenItReturns()
    {
        var directory = Directory.CreateTempSubdirectory("lab-test-");
        await using var first = await StubWorker.StartAsync();
        await using var second = await StubWorker.StartAsync();
        var path = Path.Combine(directory.FullName, "workers.json");
        // With a byte-order mark, as Windows' editors write it.
        await File.WriteAllTextAsync(path, $$"""{"a":"{{first.Address}}"}""", System.Text.Encoding.UTF8, Cancellation);
        await using var lab = await StartAsync(workers: 0, $"--Orchestrator:WorkersFile={path}");
        await lab.UntilAsync(table => table.Count == 1 && table["a"].Status == "free");

        File.Delete(path);
        await lab.UntilLoggedAsync($"kept as it was: Could not find file '{path}'");
        await File.WriteAllTextAsync(path, "", Cancellation);
        await lab.UntilLoggedAsync($"kept as it was: {path}: The input does not contain any JSON tokens");
        File.Delete(path);
        Assert.Equal(0, (await ChildProcess.RunAsync("mkfifo", [path])).Code);
        await lab.UntilLoggedAsync($"kept as it was: '{path}' is a pipe or a device");
        Assert.Equal(["a"], (await lab.GetWorkersAsync()).Keys);
        File.Delete(path);
        await File.WriteAllTextAsync(path, $$"""{"b":"{{second.Address}}"}""", Cancellation);
        await lab.UntilAsync(table => table.Count == 1 && table.ContainsKey("b"));
        directory.Delete(recursive: true);
    }
}
