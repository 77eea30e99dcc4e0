using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Dispatch;

/// <summary>A worker's refusal is its word against others'.</summary>
public sealed class RefusalTests
{
    private const string Refuser = "worker-1";

    [Theory]
    [InlineData(2, "quarantined")]
    [InlineData(3, "free")]
    public void Reply_OneOtherAnswersWhatItRefuses_IsBelievedOnlyWhereThereIsNoThird(int workers, string status)
    {
        var bench = new DispatchBench(workers);
        for (var i = 0; i < 5; i++) Dispute(bench, answersBy: 2);
        Assert.Equal(status, bench.State.Workers.Snapshot()[Refuser].Status);
    }

    [Fact]
    public void Reply_TwoOthersAnswerWhatItRefuses_IsQuarantined()
    {
        var bench = new DispatchBench(workers: 3);
        Dispute(bench, answersBy: 2);
        Dispute(bench, answersBy: 3);
        Assert.Equal("free", bench.State.Workers.Snapshot()[Refuser].Status);
        Dispute(bench, answersBy: 2);
        Assert.Equal("quarantined", bench.State.Workers.Snapshot()[Refuser].Status);
    }

    [Fact]
    public void OutputOf_AWorkerThatTellsNoModel_IsTheFleets()
    {
        var bench = new DispatchBench(workers: 2, healthy: false);
        var (silent, telling) = (bench.Probes[0], bench.Probes[1]);
        bench.State.Probed(silent, silent.Address, null);
        Assert.Empty(bench.State.Workers.OutputOf(silent).Labels);
        bench.State.Probed(telling, telling.Address, null, StubWorker.ModelNamed("stub") with { ProblemType = ProblemType.MultiLabel });
        Assert.Equal(ProblemType.MultiLabel, bench.State.Workers.OutputOf(silent).Problem);
        Assert.Equal(["NEGATIVE", "POSITIVE"], bench.State.Workers.OutputOf(silent).Labels);
        bench.State.SetDraining(telling.Name, true);
        Assert.Empty(bench.State.Workers.OutputOf(silent).Labels);
    }

    /// <summary>The first worker refuses a text, and another one answers it; whoever else is asked before is busy.</summary>
    private static void Dispute(DispatchBench bench, int answersBy)
    {
        if (bench.State.Workers.Find(Refuser)!.Quarantined) return;
        var entry = bench.Submit();
        var asked = new HashSet<long>();
        while (!entry.Completion.IsCompleted)
        {
            var call = bench.Sent.Last(call => !asked.Contains(call.Number));
            asked.Add(call.Number);
            if (call.Worker.Name == Refuser) bench.State.Reply(call, new WorkerReply.Answered([new(null, "too strange")], 0));
            else if (entry.RefusedBy is not null && call.Worker.Name == $"worker-{answersBy}") bench.Answer(call);
            else
            {
                bench.State.Reply(call, new WorkerReply.Busy());
                bench.Advance(TimeSpan.FromMilliseconds(30));
            }
        }
    }
}
