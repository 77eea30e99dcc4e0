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
}
