namespace Lab.Orchestrator.Tests;

public sealed class RehearsalTests
{
    [Fact]
    public async Task RunAsync_ServesItsRequests() => Assert.Null(await Rehearsal.RunAsync(TestContext.Current.CancellationToken));
}
