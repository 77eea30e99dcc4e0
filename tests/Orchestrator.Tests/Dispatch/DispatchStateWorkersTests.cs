using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>What becomes of workers.</summary>
public sealed class DispatchStateWorkersTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void DispatchTimeout_HungWorker_IsQuarantinedAndRequestGoesElsewhere()
    {
        var bench = new DispatchBench(workers: 2, o => o.DispatchTimeout = 3 * Second);
        var entry = bench.Submit();
        bench.Advance(4 * Second);
        Assert.True(bench.Sent[0].Aborted.IsCancellationRequested);
        Assert.Equal("quarantined", bench.State.Workers.Snapshot()["worker-1"].Status);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(2, DispatchBench.Ended(entry).Answer!.Attempts);

        // What the hung worker says at last changes nothing.
        bench.Answer(bench.Sent[0]);
        Assert.Equal(0, bench.State.Workers.Find("worker-1")!.Completed);
    }

    [Fact]
    public void Quarantine_FailingProbes_BackOffExponentially()
    {
        var bench = new DispatchBench(workers: 1);
        bench.Submit();
        bench.Fail(bench.Sent[0]);
        var gaps = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var before = bench.Time.GetUtcNow();
            while (bench.Probes.Count == 0) bench.Advance(TimeSpan.FromMilliseconds(10));
            gaps.Add((bench.Time.GetUtcNow() - before).TotalSeconds);
            bench.AnswerProbes("connection refused");
        }

        Assert.InRange(gaps[0], 0.2, 0.32);
        Assert.InRange(gaps[3], 1.6, 2.45);
        Assert.InRange(gaps[8], 4, 6.1);
    }

    [Fact]
    public void Probe_IdleWorkerMissesTwo_IsQuarantined()
    {
        var bench = new DispatchBench(workers: 1);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("free", bench.State.Workers.Snapshot()["worker-1"].Status);
            bench.Advance(7 * Second);
            bench.AnswerProbes("refused");
        }

        Assert.Equal("quarantined", bench.State.Workers.Snapshot()["worker-1"].Status);
        Assert.Equal(OutcomeKind.NoWorker, DispatchBench.Ended(bench.Submit()).Kind);
    }

    [Fact]
    public void SetDraining_Worker_FinishesAndGetsNoMoreUntilResumed()
    {
        var bench = new DispatchBench(workers: 1);
        var first = bench.Submit();
        Assert.True(bench.State.SetDraining("worker-1", true));
        Assert.False(bench.State.SetDraining("worker-9", true));
        var second = new QueueEntry(Guid.CreateVersion7(), "job", Timeout.InfiniteTimeSpan) { Accepted = true };
        bench.State.Submit(second);
        bench.Answer(bench.Sent[0]);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(first).Kind);
        Assert.Single(bench.Sent);
        Assert.Equal("draining", bench.State.Workers.Snapshot()["worker-1"].Status);
        bench.State.SetDraining("worker-1", false);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(second).Kind);
    }

    [Fact]
    public void SetWorkers_RemovedWhileBusy_FinishesFirst()
    {
        var bench = new DispatchBench(workers: 2);
        var first = bench.Submit();
        var second = bench.Submit();
        bench.SetWorkers(1);
        bench.Submit();
        Assert.Equal("draining", bench.State.Workers.Snapshot()["worker-2"].Status);
        bench.Answer(bench.Sent[1]);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(second).Kind);
        Assert.Equal(["worker-1"], bench.State.Workers.Snapshot().Keys);
        Assert.Equal(2, bench.Sent.Count);
        Assert.False(first.Completion.IsCompleted);
    }

    [Fact]
    public void SetWorkers_Added_GetsWorkAfterItsProbe()
    {
        var bench = new DispatchBench(workers: 1);
        bench.Submit();
        var waiting = bench.Submit();
        bench.SetWorkers(2);
        Assert.Single(bench.Sent);
        bench.AnswerProbes(null);
        bench.Answer(bench.Sent[1]);
        Assert.Equal("worker-2", DispatchBench.Ended(waiting).Answer!.Worker);
    }

    [Fact]
    public void SetWorkers_Moved_IsProbedAtItsNewAddress()
    {
        var bench = new DispatchBench(workers: 1);
        bench.State.SetWorkers(new Dictionary<string, Uri> { ["worker-1"] = new("http://10.0.0.9:8001") });
        var probe = Assert.Single(bench.Probes);
        // The answer of the old address says nothing about the new one.
        bench.State.Probed(probe, new("http://10.0.0.1:8000"), null);
        Assert.Equal("quarantined", bench.State.Workers.Snapshot()["worker-1"].Status);
        bench.AnswerProbes(null);
        bench.Submit();
        Assert.Equal(8001, Assert.Single(bench.Sent).Address.Port);
    }
}
