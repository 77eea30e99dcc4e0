using Lab.Worker.Inference;

namespace Lab.Worker.Tests.Inference;

public sealed class InferenceGateTests
{
    [Fact]
    public async Task TryRun_WhileTaken_IsRefusedAtOnceAndNeverRun()
    {
        using var gate = new InferenceGate();
        using var release = new ManualResetEventSlim();
        var first = gate.TryRun(() =>
        {
            release.Wait(TestContext.Current.CancellationToken);
            return 1;
        });

        var second = gate.TryRun<int>(() => throw new InvalidOperationException("must not run"));
        release.Set();

        Assert.Null(second);
        Assert.Equal(1, await first!);
    }

    [Fact]
    public async Task TryRun_AfterAnAnswer_IsFree()
    {
        using var gate = new InferenceGate();
        for (var i = 0; i < 1000; i++)
        {
            var running = gate.TryRun(() => i);
            Assert.NotNull(running);
            Assert.Equal(i, await running);
        }
    }

    [Fact]
    public async Task TryRun_ComputationFails_CallerSeesItAndTheGateIsFree()
    {
        using var gate = new InferenceGate();

        await Assert.ThrowsAsync<InvalidOperationException>(() => gate.TryRun<int>(() => throw new InvalidOperationException())!);
        Assert.Equal(2, await gate.TryRun(() => 2)!);
    }

    [Fact]
    public async Task TryRun_Computation_IsOffTheCallersThreadAndInItsContext()
    {
        using var gate = new InferenceGate();
        var context = new AsyncLocal<string> { Value = "the request's" };

        var (thread, value) = await gate.TryRun(() => (Environment.CurrentManagedThreadId, context.Value))!;

        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);
        Assert.Equal("the request's", value);
    }
}
