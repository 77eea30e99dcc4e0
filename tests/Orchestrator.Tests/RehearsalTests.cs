using Lab.Testing;

namespace Lab.Orchestrator.Tests;

public sealed class RehearsalTests
{
    [Fact]
    public async Task RunAsync_ServesItsRequests() => Assert.Null(await Rehearsal.RunAsync(Eventually.DefaultLimit, TestContext.Current.CancellationToken));

    // What is wrong with the address turns out only after the rehearsal.
    [Fact]
    public async Task Start_FailsAfterTheRehearsal_NothingOfItIsOnTheDisk()
    {
        var state = Directory.CreateTempSubdirectory("lab-test-");
        try
        {
            var run = await ServiceProcess.FailAsync("Orchestrator.dll", ["--urls=foo"], new Dictionary<string, string?> { ["XDG_STATE_HOME"] = state.FullName });
            Assert.Equal(1, run.Code);
            Assert.Empty(state.EnumerateFileSystemInfos());
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }
}
