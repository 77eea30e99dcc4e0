using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>What becomes of requests.</summary>
public sealed class DispatchStateTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Submit_FreeWorker_IsDispatchedAndAnswered()
    {
        var bench = new DispatchBench(workers: 1);
        var entry = bench.Submit("good");
        bench.Time.Advance(TimeSpan.FromMilliseconds(7));
        bench.Answer(Assert.Single(bench.Sent));

        var outcome = DispatchBench.Ended(entry);
        Assert.Equal(OutcomeKind.Answered, outcome.Kind);
        Assert.Equal(("worker-1", 1, 1, "good"), (outcome.Answer!.Worker, outcome.Answer.Attempts, outcome.Answer.BatchSize, outcome.Answer.InputText));
        Assert.Equal(entry.Id, Guid.Parse(outcome.Answer.RequestId));
        Assert.Equal(0, outcome.Answer.QueueMs);
    }

    [Fact]
    public void Submit_NoFreeWorker_WaitsInOrderOfArrival()
    {
        var bench = new DispatchBench(workers: 2);
        var entries = Enumerable.Range(0, 10).Select(i => bench.Submit($"{i}")).ToList();
        Assert.Equal(2, bench.Sent.Count);
        for (var i = 0; i < 10; i++) bench.Answer(bench.Sent[i]);

        Assert.Equal(entries.Select(e => e.Text), bench.Sent.Select(call => call.Entries[0].Text));
        Assert.All(entries, e => Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(e).Kind));
    }

    [Fact]
    public void Submit_SeveralFree_LongestIdleIsChosen()
    {
        var bench = new DispatchBench(workers: 3);
        bench.Submit();
        bench.Submit();
        bench.Answer(bench.Sent[1]);
        bench.Answer(bench.Sent[0]);
        for (var i = 0; i < 3; i++) bench.Submit();
        Assert.Equal(["worker-3", "worker-2", "worker-1"], bench.Sent.Skip(2).Select(call => call.Worker.Name));
    }

    [Fact]
    public void Answer_TimeInQueue_IsTold()
    {
        var bench = new DispatchBench(workers: 1);
        bench.Submit();
        var second = bench.Submit();
        bench.Time.Advance(TimeSpan.FromMilliseconds(40));
        bench.Answer(bench.Sent[0]);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(40, DispatchBench.Ended(second).Answer!.QueueMs, precision: 3);
    }

    [Fact]
    public void Submit_QueueFull_IsRefusedWithRetryAfter()
    {
        var bench = new DispatchBench(workers: 1, o => o.QueueCapacity = 3);
        var entries = Enumerable.Range(0, 4).Select(_ => bench.Submit()).ToList();
        var unknownRate = DispatchBench.Ended(bench.Submit());
        Assert.Equal((OutcomeKind.QueueFull, 60), (unknownRate.Kind, unknownRate.RetryAfterSeconds));
        Assert.All(entries, e => Assert.False(e.Completion.IsCompleted));

        // One answer in two seconds: three waiting take six.
        bench.Time.Advance(2 * Second);
        bench.Answer(bench.Sent[0]);
        bench.Submit();
        Assert.Equal(6, DispatchBench.Ended(bench.Submit()).RetryAfterSeconds);
    }

    [Fact]
    public void Submit_NoWorkerAlive_IsRefused()
    {
        var bench = new DispatchBench(workers: 2, healthy: false);
        Assert.Equal(OutcomeKind.NoWorker, DispatchBench.Ended(bench.Submit()).Kind);
        bench.AnswerProbes(null);
        Assert.False(bench.Submit().Completion.IsCompleted);
    }

    [Fact]
    public void Reply_Failed_ReturnsToHeadAndGoesElsewhere()
    {
        var bench = new DispatchBench(workers: 2);
        var entries = Enumerable.Range(0, 4).Select(i => bench.Submit($"{i}")).ToList();
        bench.Fail(bench.Sent[0]);
        Assert.Equal(2, bench.Sent.Count);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(("0", "worker-2", 2), (bench.Sent[2].Entries[0].Text, bench.Sent[2].Worker.Name, entries[0].Attempts));
        bench.Answer(bench.Sent[2]);
        Assert.Equal("2", bench.Sent[3].Entries[0].Text);
        Assert.Equal((2, "worker-2"), (DispatchBench.Ended(entries[0]).Answer!.Attempts, DispatchBench.Ended(entries[0]).Answer!.Worker));
    }

    [Fact]
    public void Reply_SeveralFail_KeepOrderOfArrival()
    {
        var bench = new DispatchBench(workers: 4);
        for (var i = 0; i < 6; i++) bench.Submit($"{i}");
        bench.Fail(bench.Sent[0]);
        bench.Fail(bench.Sent[2]);
        bench.Fail(bench.Sent[1]);
        bench.Answer(bench.Sent[3]);
        for (var i = 4; i < 9; i++) bench.Answer(bench.Sent[i]);
        Assert.Equal(["0", "1", "2", "4", "5"], bench.Sent.Skip(4).Select(call => call.Entries[0].Text));
    }

    [Fact]
    public void Reply_FailedOnThreeWorkers_IsGivenUp()
    {
        var bench = new DispatchBench(workers: 5);
        var entry = bench.Submit();
        for (var i = 0; i < 3; i++) bench.Fail(bench.Sent[i]);
        var outcome = DispatchBench.Ended(entry);
        Assert.Equal(OutcomeKind.Failed, outcome.Kind);
        Assert.Equal(3, bench.Sent.Select(call => call.Worker.Name).Distinct().Count());
        Assert.Equal(3, bench.Sent.Count);
    }

    [Fact]
    public void Reply_FailedOnTheOnlyWorker_WaitsForItsRecovery()
    {
        var bench = new DispatchBench(workers: 1);
        var entry = bench.Submit();
        bench.Fail(bench.Sent[0]);
        Assert.False(entry.Completion.IsCompleted);
        bench.Advance(Second);
        bench.AnswerProbes(null);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(2, DispatchBench.Ended(entry).Answer!.Attempts);
    }

    [Fact]
    public void Reply_Busy_IsNoAttemptAndAnotherWorkerGetsIt()
    {
        var bench = new DispatchBench(workers: 2);
        var entry = bench.Submit();
        bench.State.Reply(bench.Sent[0], new WorkerReply.Busy());
        Assert.Equal(("worker-2", 1), (bench.Sent[1].Worker.Name, entry.Attempts));
        bench.State.Reply(bench.Sent[1], new WorkerReply.Busy());
        Assert.Equal(2, bench.Sent.Count);
        Assert.Equal("busy", bench.State.Workers.Snapshot()["worker-1"].Status);
        bench.Advance(TimeSpan.FromMilliseconds(50));
        bench.Answer(bench.Sent[2]);
        Assert.Equal(1, DispatchBench.Ended(entry).Answer!.Attempts);
        Assert.All(bench.State.Workers.All, worker => Assert.Equal(0, worker.Failed));
    }

    [Fact]
    public void Reply_TextRejected_EndsTheRequestAndKeepsTheWorker()
    {
        var bench = new DispatchBench(workers: 1);
        var entry = bench.Submit();
        bench.State.Reply(bench.Sent[0], new WorkerReply.Answered([new(null, "no such text")], 1));
        Assert.Equal((OutcomeKind.Rejected, "no such text"), (DispatchBench.Ended(entry).Kind, DispatchBench.Ended(entry).Detail));
        Assert.Equal("free", bench.State.Workers.Snapshot()["worker-1"].Status);
    }

    [Fact]
    public void HangUp_Waiting_IsNeverDispatched()
    {
        var bench = new DispatchBench(workers: 1);
        bench.Submit("running");
        var gone = bench.Submit("gone");
        bench.Submit("last");
        bench.State.HangUp(gone);
        Assert.Equal(OutcomeKind.Canceled, DispatchBench.Ended(gone).Kind);
        bench.Answer(bench.Sent[0]);
        Assert.Equal("last", bench.Sent[1].Entries[0].Text);
    }

    [Fact]
    public void HangUp_Running_WorkerStaysBusyUntilItReplies()
    {
        var bench = new DispatchBench(workers: 1);
        var gone = bench.Submit();
        bench.State.HangUp(gone);
        bench.Submit();
        Assert.Single(bench.Sent);
        bench.Answer(bench.Sent[0]);
        Assert.Equal(OutcomeKind.Canceled, DispatchBench.Ended(gone).Kind);
        Assert.Equal(2, bench.Sent.Count);
    }

    [Fact]
    public void HangUp_BeforeSubmit_IsNeverDispatched()
    {
        var bench = new DispatchBench(workers: 1);
        var entry = new QueueEntry(Guid.CreateVersion7(), "text", Second);
        bench.State.HangUp(entry);
        bench.State.Submit(entry);
        Assert.Empty(bench.Sent);
        Assert.Equal(OutcomeKind.Canceled, DispatchBench.Ended(entry).Kind);
    }

    [Fact]
    public void Deadline_WaitingAndRunning_BothEnd()
    {
        var bench = new DispatchBench(workers: 1, o => o.DispatchTimeout = 60 * Second);
        var running = bench.Submit(timeout: 2 * Second);
        var waiting = bench.Submit(timeout: Second);
        var patient = bench.Submit(timeout: 5 * Second);
        bench.Advance(1.5 * Second);
        Assert.Equal(OutcomeKind.DeadlinePassed, DispatchBench.Ended(waiting).Kind);
        Assert.False(running.Completion.IsCompleted);
        bench.Advance(Second);
        Assert.Equal(OutcomeKind.DeadlinePassed, DispatchBench.Ended(running).Kind);
        Assert.Equal(0, bench.State.Workers.All.Single().Failed);
        bench.Answer(bench.Sent[0]);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(patient).Kind);
    }

    [Fact]
    public void Pump_Backlog_IsSharedOutInBatchesInOrder()
    {
        var bench = new DispatchBench(workers: 2, o => o.MaxBatch = 4);
        var entries = Enumerable.Range(0, 13).Select(i => bench.Submit($"{i}")).ToList();
        Assert.Equal([1, 1], bench.Sent.Select(call => call.Entries.Count));
        for (var i = 0; i < bench.Sent.Count; i++) bench.Answer(bench.Sent[i]);

        // 11 wait: 4, then half of 7, then half of 3, and the last alone.
        Assert.Equal([1, 1, 4, 4, 2, 1], bench.Sent.Select(call => call.Entries.Count));
        Assert.Equal(entries, bench.Sent.SelectMany(call => call.Entries));
        Assert.Equal(4, DispatchBench.Ended(entries[2]).Answer!.BatchSize);
    }

    [Fact]
    public void Pump_BacklogAndAWorkerBackFromQuarantine_GetsTwiceAsManyEachTime()
    {
        var bench = new DispatchBench(workers: 1, o => o.MaxBatch = 8);
        for (var i = 0; i < 30; i++) bench.Submit($"{i}");
        bench.Fail(bench.Sent[0]);
        bench.Advance(2 * bench.Options.QuarantineMin);
        bench.AnswerProbes(failure: null);
        for (var i = 1; i < bench.Sent.Count; i++) bench.Answer(bench.Sent[i]);
        Assert.Equal([1, 1, 2, 4, 8, 8, 7], bench.Sent.Select(call => call.Entries.Count));
    }

    [Fact]
    public void Pump_BatchOverTokenBudget_IsCutShort()
    {
        var bench = new DispatchBench(workers: 1, o => (o.MaxBatch, o.MaxBatchTokens) = (8, 25));
        for (var i = 0; i < 6; i++) bench.Submit(new string('a', 20));
        bench.Answer(bench.Sent[0]);
        Assert.Equal(3, bench.Sent[1].Entries.Count);
    }

    [Fact]
    public void Reply_BatchFails_IsRetriedOneByOne()
    {
        var bench = new DispatchBench(workers: 2, o => o.MaxBatch = 8);
        bench.State.SetDraining("worker-2", true);
        var entries = Enumerable.Range(0, 4).Select(i => bench.Submit($"{i}")).ToList();
        bench.Answer(bench.Sent[0]);
        Assert.Equal(3, bench.Sent[1].Entries.Count);
        bench.State.SetDraining("worker-2", false);
        bench.Fail(bench.Sent[1]);
        for (var i = 2; i < bench.Sent.Count; i++) bench.Answer(bench.Sent[i]);
        Assert.Equal(["1", "2", "3"], bench.Sent.Skip(2).Select(call => Assert.Single(call.Entries).Text));
        Assert.All(entries.Skip(1), entry => Assert.Equal((2, 1), (DispatchBench.Ended(entry).Answer!.Attempts, DispatchBench.Ended(entry).Answer!.BatchSize)));
    }

    [Fact]
    public void Submit_BatchLargerThanRoom_IsRefusedWhole()
    {
        var bench = new DispatchBench(workers: 1, o => o.QueueCapacity = 3);
        bench.Submit();
        bench.Submit();
        var batch = Enumerable.Range(0, 3).Select(_ => new QueueEntry(Guid.CreateVersion7(), "text", Second)).ToList();
        bench.State.Submit(batch);
        Assert.All(batch, entry => Assert.Equal(OutcomeKind.QueueFull, DispatchBench.Ended(entry).Kind));
        bench.State.Submit(new QueueEntry(Guid.CreateVersion7(), "job", Timeout.InfiniteTimeSpan) { Accepted = true });
        Assert.Equal(2, bench.State.Queued);
    }

    [Fact]
    public void Stop_EveryEntry_EndsAsStopped()
    {
        var bench = new DispatchBench(workers: 1);
        var entries = Enumerable.Range(0, 3).Select(_ => bench.Submit()).ToList();
        bench.State.Stop();
        Assert.All(entries, e => Assert.Equal(OutcomeKind.Stopped, DispatchBench.Ended(e).Kind));
    }
}
