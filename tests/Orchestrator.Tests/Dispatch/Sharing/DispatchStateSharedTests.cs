using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>What an orchestrator does with workers that others use as well.</summary>
public sealed partial class DispatchStateSharedTests
{
    private static readonly string[] Two = ["other", DispatchBench.Id];

    [Fact]
    public void Submit_SharedFleet_OwnWorkersFirstAndOthersWhenTheseAreBusy()
    {
        var bench = Shared(workers: 4);
        for (var i = 0; i < 4; i++) bench.Submit();
        Assert.Equal([true, true, false, false], bench.Sent.Select(call => call.Worker.Ownership is Ownership.Own));
        bench.Answer(bench.Sent[3]);
        bench.Answer(bench.Sent[0]);
        bench.Submit();
        Assert.Equal(bench.Sent[0].Worker, bench.Sent[4].Worker);
    }

    [Fact]
    public void Submit_MoreWorkersThanEqualShares_OwnThenThoseInCommonThenThoseOfOthers()
    {
        var bench = new DispatchBench(workers: 8);
        HearAll(bench, [.. Two, "third"]);
        Assert.Equal(new Share(2, 2, 3), bench.State.Workers.Share);
        for (var i = 0; i < 8; i++) bench.Submit();
        Assert.Equal([0, 0, 1, 1, 2, 2, 2, 2], bench.Sent.Select(call => (int)call.Worker.Ownership));

        // At one in common the others have their turn, each for as long as this orchestrator had: 1 ms.
        var common = bench.Sent[2].Worker;
        Answer(bench, bench.Sent[2], isWanted: true);
        bench.Submit();
        bench.Advance(TimeSpan.FromMilliseconds(1.9));
        bench.Submit();
        Assert.Equal(8, bench.Sent.Count);
        bench.Advance(TimeSpan.FromMilliseconds(0.2));
        bench.Submit();
        Assert.Equal((9, common), (bench.Sent.Count, bench.Sent[8].Worker));

        // Also where nothing happens meanwhile.
        Answer(bench, bench.Sent[8], isWanted: true);
        bench.Advance(TimeSpan.FromMilliseconds(53));
        Assert.Equal((10, common), (bench.Sent.Count, bench.Sent[9].Worker));
    }

    [Fact]
    public void Busy_WorkerOfOthers_IsLeftAloneUntilItHasLongBeenIdle()
    {
        var bench = Shared(workers: 2);
        bench.Submit("own");
        var waiting = bench.Submit("other");
        bench.State.Reply(bench.Sent[1], new WorkerReply.Busy(TimeSpan.FromMilliseconds(1)));
        var name = bench.Sent[1].Worker.Name;
        bench.Advance(TimeSpan.FromMilliseconds(500));
        Hear(bench, name, Two, idle: TimeSpan.FromMilliseconds(24));
        Hear(bench, name, Two, busy: TimeSpan.FromMilliseconds(1));
        bench.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(2, bench.Sent.Count);
        Hear(bench, name, Two, idle: TimeSpan.FromMilliseconds(25));
        Assert.Equal(bench.Sent[1].Worker, bench.Sent[2].Worker);
        Assert.Equal((1, false), (waiting.Attempts, waiting.Completion.IsCompleted));
    }

    [Fact]
    public void Busy_WorkerOfOthersThatSaysNothingMore_IsAskedAgainAfterTwoSeconds()
    {
        var bench = Shared(workers: 2);
        bench.Submit();
        bench.Submit();
        bench.State.Reply(bench.Sent[1], new WorkerReply.Busy());
        bench.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(2, bench.Sent.Count);
        bench.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(bench.Sent[1].Worker, bench.Sent[2].Worker);
    }

    [Fact]
    public void Busy_OwnWorker_IsAskedAgainWhenItHasSaidThatItIsFree()
    {
        var bench = new DispatchBench(workers: 1);
        bench.Submit();
        for (var i = 0; i < 5; i++)
        {
            bench.State.Reply(bench.Sent[i], new WorkerReply.Busy(TimeSpan.FromMilliseconds(100)));
            bench.Advance(TimeSpan.FromMilliseconds(98));
            Assert.Equal(i + 1, bench.Sent.Count);
            bench.Advance(TimeSpan.FromMilliseconds(4));
            Assert.Equal(i + 2, bench.Sent.Count);
        }
    }

    [Fact]
    public void Answer_WorkerOfOthersThatIsWanted_IsLeftToThem()
    {
        var bench = Shared(workers: 2);
        for (var i = 0; i < 3; i++) bench.Submit();
        Answer(bench, bench.Sent[1], isWanted: true);
        Assert.Equal(2, bench.Sent.Count);
        Hear(bench, bench.Sent[1].Worker.Name, Two, idle: TimeSpan.FromMilliseconds(30));
        Assert.Equal(bench.Sent[1].Worker, bench.Sent[2].Worker);

        // Idle for a moment, but since this orchestrator used it and nobody else: it may go on.
        Answer(bench, bench.Sent[2], isWanted: false);
        bench.Advance(TimeSpan.FromMilliseconds(10));
        Hear(bench, bench.Sent[2].Worker.Name, Two, idle: TimeSpan.FromMilliseconds(9));
        bench.Submit();
        Assert.Equal(bench.Sent[1].Worker, bench.Sent[3].Worker);
        Answer(bench, bench.Sent[3], isWanted: false);
        bench.Advance(TimeSpan.FromMilliseconds(20));
        Hear(bench, bench.Sent[3].Worker.Name, Two, idle: TimeSpan.FromMilliseconds(9));

        // An own one stays this orchestrator's, whoever wants it.
        bench.Submit();
        Assert.Equal(4, bench.Sent.Count);
        Answer(bench, bench.Sent[0], isWanted: true);
        Assert.Equal((5, bench.Sent[0].Worker), (bench.Sent.Count, bench.Sent[4].Worker));
    }

    [Fact]
    public void Send_Backlog_IsDividedByTheWorkersThatWillWorkItOff()
    {
        var bench = new DispatchBench(workers: 8, o => o.MaxBatch = 8);
        HearAll(bench, Two, busy: TimeSpan.FromSeconds(2));
        for (var i = 0; i < 20; i++) bench.Submit();
        Assert.Equal(4, bench.Sent.Count);
        bench.Answer(bench.Sent[0]);
        Assert.Equal(4, bench.Sent[4].Entries.Count);
    }

    [Fact]
    public void Refused_ByTheOnlyOwnWorker_WaitsAtOneThatIsLeftToOthers()
    {
        var bench = Shared(workers: 2);
        bench.Submit();
        bench.Submit();
        var other = bench.Sent[1].Worker;
        Answer(bench, bench.Sent[1], isWanted: true);
        var entry = bench.Submit();
        bench.Answer(bench.Sent[0]);
        Assert.Equal(3, bench.Sent.Count);
        bench.State.Reply(bench.Sent[2], new WorkerReply.Answered([new(null, "It is too long.")], 0));
        Assert.Equal((4, other), (bench.Sent.Count, bench.Sent[3].Worker));

        // It may have no room after all: then it is asked again when it has said something of itself.
        bench.State.Reply(bench.Sent[3], new WorkerReply.Busy(TimeSpan.FromMilliseconds(1)));
        bench.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(4, bench.Sent.Count);
        Hear(bench, other.Name, Two, busy: TimeSpan.FromMilliseconds(1));
        Assert.Equal((5, other), (bench.Sent.Count, bench.Sent[4].Worker));
        bench.Answer(bench.Sent[4]);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(entry).Kind);
    }

    [Fact]
    public void Submit_OwnWorkersQuarantined_OthersServeItAsIfTheyWereOwn()
    {
        var bench = Shared(workers: 4);
        var entries = new List<QueueEntry> { bench.Submit(), bench.Submit() };
        bench.Fail(bench.Sent[0]);
        bench.Fail(bench.Sent[1]);
        Assert.All(bench.Sent.Skip(2), call => Assert.Equal(Ownership.Others, call.Worker.Ownership));
        for (var i = 0; i < 6; i++) bench.State.Reply(bench.Sent[^1], new WorkerReply.Busy(TimeSpan.FromMilliseconds(2)));

        // Without own ones it does not make way for ever longer.
        var started = bench.Time.GetUtcNow();
        while (entries.Any(entry => !entry.Completion.IsCompleted))
        {
            var sent = bench.Sent.Count;
            foreach (var call in bench.Sent.ToList()) bench.Answer(call);
            if (bench.Sent.Count == sent) bench.Advance(TimeSpan.FromMilliseconds(3));
            Assert.True(bench.Time.GetUtcNow() - started < TimeSpan.FromSeconds(1), "it waits too long");
        }
    }

    [Fact]
    public void Quarantine_ForLong_TheRestIsDividedAnew()
    {
        var bench = Shared(workers: 4);
        var (own, others) = (bench.State.Workers.All.Where(worker => worker.Ownership is Ownership.Own).ToList(), bench.State.Workers.All.Where(worker => worker.Ownership is Ownership.Others).ToList());
        bench.Submit();
        bench.Submit();
        bench.Fail(bench.Sent[0]);
        bench.Fail(bench.Sent[1]);
        for (var i = 0; i < 60; i++)
        {
            bench.Advance(TimeSpan.FromMilliseconds(50));
            foreach (var probe in bench.Probes.ToList())
            {
                bench.Probes.Remove(probe);
                bench.State.Probed(probe, probe.Address, own.Contains(probe) ? "refused" : null);
            }

            foreach (var worker in others) Hear(bench, worker.Name, Two);
        }

        Assert.Equal(1, others.Count(worker => worker.Ownership is Ownership.Own));
        Assert.Equal(new Share(1, 0, 2), bench.State.Workers.Share);
    }

    private static DispatchBench Shared(int workers)
    {
        var bench = new DispatchBench(workers);
        HearAll(bench, Two);
        Assert.Equal(new Share(workers / 2, 0, 2), bench.State.Workers.Share);
        return bench;
    }

    private static void HearAll(DispatchBench bench, string[] orchestrators, TimeSpan? busy = null)
    {
        // Twice: whose a worker is follows from what all of them say.
        for (var i = 0; i < 2; i++)
            foreach (var worker in bench.State.Workers.All) Hear(bench, worker.Name, orchestrators, busy);
    }

    private static void Hear(DispatchBench bench, string worker, string[] orchestrators, TimeSpan? busy = null, TimeSpan? idle = null, string? leaving = null)
    {
        var node = bench.State.Workers.Find(worker)!;
        bench.State.Heard(node, node.Address, new([.. orchestrators.Order(StringComparer.Ordinal)], busy, idle, leaving));
    }

    private static void Answer(DispatchBench bench, DispatchCall call, bool isWanted) =>
        bench.State.Reply(call, new WorkerReply.Answered([.. call.Entries.Select(e => new TextReply(new(e.Text, "A", [1f], 1, false), null))], 1) { IsWanted = isWanted });
}
