using Lab.Bench.Load;
using Lab.Bench.Recording;
using Lab.Testing;

namespace Lab.Bench.Tests.Load;

public sealed class LoadGeneratorTests
{
    private static readonly TimeSpan Freeze = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rounds_OfFive_SendFiveAtOnceAndWaitForAll()
    {
        var waiting = 0;
        var fives = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var recorder = new Recorder(TimeProvider.System);
        var generator = new LoadGenerator(async (text, _) =>
        {
            // A round of less than five would stand here for ever.
            var release = Volatile.Read(ref all);
            if (Interlocked.Increment(ref waiting) % 5 == 0)
            {
                fives++;
                Volatile.Write(ref all, new(TaskCreationOptions.RunContinuationsAsynchronously));
                release.SetResult();
            }

            await release.Task.WaitAsync(Cancellation);
            return Good(text);
        }, TextSource.BuiltIn(), recorder, TimeProvider.System);

        await generator.RunAsync(new RoundsPlan(5, 4), Cancellation);

        Assert.Equal(4, fives);
        Assert.Equal(20, recorder.Finish().Answered);
    }

    [Fact]
    public async Task Closed_ThreeClients_NeverHaveMoreThanThreeUnderWay()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        var recorded = await RunAsync(stub, new ClosedPlan(3, TimeSpan.FromSeconds(0.5)));

        Assert.InRange(stub.MostAtOnce, 1, 3);
        Assert.Equal(stub.Count, recorded.Answered);
        Assert.Equal(recorded.Sent, recorded.Answered);
    }

    [Fact]
    public async Task Open_StubFrozenForTwoSeconds_P99ShowsIt()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        FreezeAt(stub, 51);
        var corrected = await RunAsync(stub, new OpenPlan(100, TimeSpan.FromSeconds(4), 4096));

        await using var other = await StubOrchestrator.StartAsync();
        FreezeAt(other, 51);
        // One client that waits for each answer omits all who would have come meanwhile: the very mistake.
        var omitting = await RunAsync(other, new RoundsPlan(1, 400));

        Assert.Equal(400, corrected.Answered);
        Assert.Equal(400, omitting.Answered);
        Assert.True(omitting.Total.Max >= 1000, $"the freeze is not in the other run: {omitting.Total}");
        Assert.True(corrected.Total.P99 >= 1000, $"{corrected.Total}");
        Assert.True(omitting.Total.P99 < corrected.Total.P99 / 2, $"{omitting.Total} against {corrected.Total}");
    }

    [Fact]
    public async Task Open_MoreOutstandingThanAllowed_TellsWhatWasNotSent()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        stub.Handle = async (context, text, number) =>
        {
            await release.Task;
            await StubOrchestrator.AnswerAsync(context, text, number);
        };
        var recorder = new Recorder(TimeProvider.System);
        var run = RunAsync(stub, new OpenPlan(200, TimeSpan.FromSeconds(0.5), 10), recorder);
        await Eventually.TrueAsync(() => recorder.Look() is { Sent: 10, NotSent: 90 }, "10 are sent and 90 are not", () => $"{recorder.Look()}");
        release.SetResult();
        var recorded = await run;

        Assert.Equal(10, recorded.Answered);
        Assert.Equal(90, recorded.NotSent);
        Assert.Equal(ExitCode.Refused, recorded.Verdict);
    }

    [Fact]
    public async Task Run_Interrupted_EndsAndTellsWhatWasGivenUp()
    {
        await using var stub = await StubOrchestrator.StartAsync();
        using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        stub.Handle = async (context, text, number) =>
        {
            if (number == 1)
            {
                await StubOrchestrator.AnswerAsync(context, text, number);
                return;
            }

            await interrupted.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };

        var recorded = await RunAsync(stub, new RoundsPlan(1, 100), cancellationToken: interrupted.Token);

        Assert.Equal((2, 1, 1), (recorded.Sent, recorded.Answered, recorded.GivenUp));
        Assert.Equal(0, recorded.Lost);
    }

    // The stub answers nobody for two seconds once the request of a number has come.
    private static void FreezeAt(StubOrchestrator stub, int number)
    {
        var thawed = Task.CompletedTask;
        var frozen = new Lock();
        stub.Handle = async (context, text, at) =>
        {
            Task wait;
            lock (frozen)
            {
                if (at == number) thawed = Task.Delay(Freeze, Cancellation);
                wait = thawed;
            }

            await wait;
            await StubOrchestrator.AnswerAsync(context, text, at);
        };
    }

    private static async Task<Measured> RunAsync(StubOrchestrator stub, LoadPlan plan, Recorder? recorder = null, CancellationToken? cancellationToken = null)
    {
        recorder ??= new(TimeProvider.System);
        using var client = new LabClient(new(stub.Address, null, TimeSpan.FromSeconds(30), 0.05), TimeProvider.System);
        await new LoadGenerator(client.AskAsync, TextSource.BuiltIn(), recorder, TimeProvider.System).RunAsync(plan, cancellationToken ?? Cancellation);
        return recorder.Finish();
    }

    private static Reply Good(Text text) => new(Ending.Answered, null, new(Guid.NewGuid(), "worker-1", 1, 1, 0, 1, text.Value, [1]));
}
