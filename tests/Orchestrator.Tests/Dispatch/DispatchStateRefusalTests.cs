using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>A worker's refusal of a text is no more than its word.</summary>
public sealed class DispatchStateRefusalTests
{
    private static readonly WorkerReply Rejection = new WorkerReply.Answered([new(null, "no such text")], 1);

    [Fact]
    public void Reply_OneRejectsTheText_AnotherIsAskedAndAnswers()
    {
        var bench = new DispatchBench(workers: 2);
        var entry = bench.Submit();
        bench.State.Reply(bench.Sent[0], Rejection);
        Assert.NotEqual(bench.Sent[0].Worker, bench.Sent[1].Worker);
        bench.Answer(bench.Sent[1]);
        Assert.Equal((OutcomeKind.Answered, 1), (DispatchBench.Ended(entry).Kind, DispatchBench.Ended(entry).Answer!.Attempts));
        Assert.All(bench.State.Workers.All, worker => Assert.True(worker.IsAlive));
    }

    [Fact]
    public void Reply_TwoRejectTheText_EndsTheRequest()
    {
        var bench = new DispatchBench(workers: 3);
        var entry = bench.Submit();
        bench.State.Reply(bench.Sent[0], Rejection);
        bench.State.Reply(bench.Sent[1], Rejection);
        Assert.Equal((OutcomeKind.Rejected, "no such text"), (DispatchBench.Ended(entry).Kind, DispatchBench.Ended(entry).Detail));
        Assert.Equal(2, bench.Sent.Count);
        Assert.All(bench.State.Workers.All, worker => Assert.True(worker.IsAlive));
    }

    [Fact]
    public void Reply_OneRejectsAndTheSecondFails_AThirdIsAsked()
    {
        var bench = new DispatchBench(workers: 3);
        var entry = bench.Submit();
        bench.State.Reply(bench.Sent[0], Rejection);
        bench.State.Reply(bench.Sent[1], new WorkerReply.Failed("gone"));
        Assert.Equal(3, bench.Sent.Select(call => call.Worker).Distinct().Count());
        bench.State.Reply(bench.Sent[2], Rejection);
        Assert.Equal(OutcomeKind.Rejected, DispatchBench.Ended(entry).Kind);
    }

    [Fact]
    public void Reply_OneRejectsWhatOthersAnswer_IsQuarantined()
    {
        var bench = new DispatchBench(workers: 2);
        WorkerNode? refuser = null;
        var entries = new List<QueueEntry>();
        for (var answered = 0; bench.State.Workers.All.All(worker => worker.IsAlive); answered++)
        {
            Assert.InRange(answered, 0, 10);
            entries.Add(bench.Submit());
            var call = bench.Sent[^1];
            refuser ??= call.Worker;
            if (call.Worker == refuser)
            {
                bench.State.Reply(call, Rejection);
                call = bench.Sent[^1];
            }

            Assert.NotEqual(refuser, call.Worker);
            bench.Answer(call);
        }

        Assert.True(refuser!.Quarantined);
        Assert.Contains("refuses", refuser.LastError, StringComparison.Ordinal);
        Assert.All(entries, entry => Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(entry).Kind));
    }
}
