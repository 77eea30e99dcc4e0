using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <content>What workers say of themselves and of who shares them.</content>
public sealed partial class DispatchStateSharedTests
{
    [Fact]
    public void Heard_OneWorkerNamesOthers_IsNotBelievedAndHalfOfThemAre()
    {
        var bench = new DispatchBench(workers: 4);
        HearAll(bench, [DispatchBench.Id]);
        Hear(bench, "worker-1", ["a", "b", "c", "d", "e", "f", "g", DispatchBench.Id]);
        Assert.Equal(new Share(4, 0, 1), bench.State.Workers.Share);
        Hear(bench, "worker-2", ["a", DispatchBench.Id]);
        Assert.Equal(new Share(2, 0, 2), bench.State.Workers.Share);

        // Workers of an earlier version know of nobody.
        foreach (var worker in bench.State.Workers.All) bench.State.Heard(worker, worker.Address, PresenceReport.Alone);
        Assert.Equal(new Share(4, 0, 1), bench.State.Workers.Share);
    }

    [Fact]
    public void Heard_Idle_EndsTheHoldOfAWorkerOfOthers()
    {
        var bench = Shared(workers: 2);
        bench.Submit();
        bench.Submit();
        bench.State.Reply(bench.Sent[1], new WorkerReply.Busy(TimeSpan.FromSeconds(2)));
        Hear(bench, bench.Sent[1].Worker.Name, Two);
        Assert.Equal(bench.Sent[1].Worker, bench.Sent[2].Worker);
    }

    [Fact]
    public void Heard_OneOfTwoNamesOthers_IsNotBelieved()
    {
        var bench = new DispatchBench(workers: 2);
        HearAll(bench, [DispatchBench.Id]);
        Hear(bench, "worker-1", ["ghost", DispatchBench.Id]);
        Assert.Equal(new Share(2, 0, 1), bench.State.Workers.Share);
        Hear(bench, "worker-2", ["ghost", DispatchBench.Id]);
        Assert.Equal(new Share(1, 0, 2), bench.State.Workers.Share);
    }

    [Fact]
    public void Heard_Leaving_DrainsUntilItNoLongerSaysSo()
    {
        var bench = new DispatchBench(workers: 2);
        var running = bench.Submit();
        Hear(bench, "worker-1", [DispatchBench.Id], leaving: "spot interruption");
        var shown = bench.State.Workers.Snapshot()["worker-1"];
        Assert.Equal(("draining", "spot interruption"), (shown.Status, shown.Reason));
        Assert.Equal((1, 1), (bench.State.Workers.AliveCount, bench.State.Workers.Counts.Draining));
        bench.Answer(bench.Sent[0]);
        Assert.Equal(OutcomeKind.Answered, DispatchBench.Ended(running).Kind);
        bench.Submit();
        bench.Submit();
        Assert.Equal(["worker-1", "worker-2"], bench.Sent.Select(call => call.Worker.Name));

        // A person's resume does not change what the worker says, and the worker's return not what a person has said.
        bench.State.SetDraining("worker-1", false);
        Assert.Equal("draining", bench.State.Workers.Snapshot()["worker-1"].Status);
        bench.State.SetDraining("worker-1", true);
        Hear(bench, "worker-1", [DispatchBench.Id]);
        shown = bench.State.Workers.Snapshot()["worker-1"];
        Assert.Equal(("draining", null), (shown.Status, shown.Reason));
        bench.State.SetDraining("worker-1", false);
        Assert.Equal("worker-1", bench.Sent[^1].Worker.Name);
    }

    [Fact]
    public void Heard_OfAnAddressThatItHasLeft_ChangesNothing()
    {
        var bench = new DispatchBench(workers: 1);
        var worker = bench.State.Workers.Find("worker-1")!;
        Hear(bench, "worker-1", [DispatchBench.Id], leaving: "spot interruption");
        bench.State.SetWorkers(new Dictionary<string, Uri> { ["worker-1"] = new("http://10.0.0.9:8001") });
        bench.AnswerProbes(null);
        Assert.Equal("free", bench.State.Workers.Snapshot()["worker-1"].Status);
        bench.State.Heard(worker, new("http://10.0.0.1:8000"), new([], Leaving: "spot interruption"));
        Assert.Equal((1, "free"), (bench.State.Workers.AliveCount, bench.State.Workers.Snapshot()["worker-1"].Status));
    }

    [Fact]
    public void Tick_TrustedWorkers_AreAskedAboutOnceASecond()
    {
        var bench = new DispatchBench(workers: 1);
        var asked = 0;
        for (var i = 0; i < 1000; i++)
        {
            bench.Advance(TimeSpan.FromMilliseconds(10));
            bench.AnswerProbes(null);
            foreach (var worker in bench.Questions.ToList())
            {
                bench.Questions.Remove(worker);
                asked++;
                bench.State.Heard(worker, worker.Address, null);
            }
        }

        Assert.InRange(asked, 11, 19);
    }
}
