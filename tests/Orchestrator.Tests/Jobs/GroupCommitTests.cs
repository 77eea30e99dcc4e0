using Lab.Orchestrator.Jobs;

namespace Lab.Orchestrator.Tests.Jobs;

public sealed class GroupCommitTests
{
    [Theory]
    [InlineData(true, 7)]
    [InlineData(false, 2)]
    public async Task Commit_GroupFails_IsWrittenOneByOneUnlessTheStoreIsAway(bool isOfOneWrite, int expectedCalls)
    {
        var calls = new List<int>();
        var start = new TaskCompletionSource();
        await using var commit = new GroupCommit<int, int>(100, async items =>
        {
            calls.Add(items.Count);
            if (calls.Count == 1) await start.Task;
            return items.Contains(3) ? throw new JobStoreException("no") { IsOfOneWrite = isOfOneWrite } : items;
        });
        var first = commit.AddAsync(0);
        // The others come together while the first is written.
        SpinWait.SpinUntil(() => calls.Count == 1);
        var others = Enumerable.Range(1, 5).Select(commit.AddAsync).ToList();
        start.SetResult();
        Assert.Equal(0, await first);
        for (var i = 0; i < 5; i++)
        {
            if (i + 1 == 3 || !isOfOneWrite) await Assert.ThrowsAsync<JobStoreException>(() => others[i]);
            else Assert.Equal(i + 1, await others[i]);
        }

        Assert.Equal(expectedCalls, calls.Count);
    }
}
