using Lab.Worker.Inference;
using Microsoft.Extensions.Time.Testing;

namespace Lab.Worker.Tests.Inference;

public sealed class InferenceGateTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TryRun_RoomForTwo_WaitInOrderAndTheGoneOneIsSkipped()
    {
        using var gate = new InferenceGate(queueLimit: 2);
        using var release = new ManualResetEventSlim();
        using var gone = new CancellationTokenSource();
        var order = new List<int>();
        int Note(int number)
        {
            order.Add(number);
            return number;
        }

        var first = gate.TryRun(() =>
        {
            release.Wait(TimeSpan.FromSeconds(60), Cancellation);
            return Note(1);
        }, Cancellation)!;
        var second = gate.TryRun(() => Note(2), gone.Token)!;
        var third = gate.TryRun(() => Note(3), Cancellation)!;
        Assert.Null(gate.TryRun(() => Note(4), Cancellation));
        Assert.Equal(2, gate.Waiting);

        await gone.CancelAsync();
        release.Set();

        Assert.Equal(3, await third);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(1, await first);
        Assert.Equal([1, 3], order);
        Assert.False(gate.IsTaken);
    }

    [Fact]
    public async Task TryRun_OthersShareIt_WaitUnlessItTakesTooLong()
    {
        var time = new FakeTimeProvider();
        using var gate = new InferenceGate(time: time, others: () => 2);
        var (first, release) = Hold();
        var second = gate.TryRun(() => 2, Cancellation);
        var third = gate.TryRun(() => 3, Cancellation);
        // One of each: nobody has two.
        Assert.Null(gate.TryRun(() => 4, Cancellation));
        release.Set();
        Assert.Equal((1, 2, 3), (await first, await second!, await third!));

        (first, release) = Hold();
        time.Advance(TimeSpan.FromMilliseconds(600));
        release.Set();
        await first;
        (first, release) = Hold();
        // What is computed takes about 600 ms, and so does what waits: beyond that is too long.
        second = gate.TryRun(() => 2, Cancellation, tokens: 1);
        Assert.NotNull(second);
        Assert.Null(gate.TryRun(() => 3, Cancellation));
        release.Set();
        Assert.Equal((1, 2), (await first, await second));

        (Task<int> Held, ManualResetEventSlim Release) Hold()
        {
            var (held, begun) = (new ManualResetEventSlim(), new ManualResetEventSlim());
            var running = gate.TryRun(() =>
            {
                begun.Set();
                held.Wait(TimeSpan.FromSeconds(60), Cancellation);
                return 1;
            }, Cancellation, tokens: 1)!;
            begun.Wait(TimeSpan.FromSeconds(60), Cancellation);
            return (running, held);
        }
    }

    [Fact]
    public async Task TryRun_WhileTaken_IsRefusedAtOnceAndNeverRun()
    {
        using var gate = new InferenceGate();
        using var release = new ManualResetEventSlim();
        var first = gate.TryRun(() =>
        {
            release.Wait(TimeSpan.FromSeconds(60), Cancellation);
            return 1;
        }, Cancellation);

        var second = gate.TryRun<int>(() => throw new InvalidOperationException("must not run"), Cancellation);
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
            var running = gate.TryRun(() => i, Cancellation);
            Assert.NotNull(running);
            Assert.Equal(i, await running);
        }
    }

    [Fact]
    public async Task TryRun_ComputationFails_CallerSeesItAndTheGateIsFree()
    {
        using var gate = new InferenceGate();

        await Assert.ThrowsAsync<InvalidOperationException>(() => gate.TryRun<int>(() => throw new InvalidOperationException(), Cancellation)!);
        Assert.Equal(2, await gate.TryRun(() => 2, Cancellation)!);
    }

    [Fact]
    public async Task TryRun_Computation_IsOffTheCallersThreadAndInItsContext()
    {
        using var gate = new InferenceGate();
        var context = new AsyncLocal<string> { Value = "the request's" };

        var (thread, value) = await gate.TryRun(() => (Environment.CurrentManagedThreadId, context.Value), Cancellation)!;

        Assert.NotEqual(Environment.CurrentManagedThreadId, thread);
        Assert.Equal("the request's", value);
    }
}
