using Lab.Orchestrator.Dispatch;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>Three orchestrators over one fleet are about as good as one, in simulated time.</summary>
public sealed class SharingTests
{
    private const int Workers = 8;
    private const int Clients = 22;
    private const double Second = 1000;

    // What deaths and departures take at most until everybody has drawn the consequences.
    private const double Limit = 2 * Second;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Load_SpreadOverThree_IsServedAboutAsFastAsByOne(int seed)
    {
        var one = Measure(new(Workers, 1, seed), 3 * Clients);
        var three = Measure(new(Workers, 3, seed), Clients, Clients, Clients);
        TestContext.Current.SendDiagnosticMessage($"one {one}, three {three}");
        Assert.InRange(three.PerSecond / one.PerSecond, 0.95, 1.05);
        Assert.InRange(three.P99 / one.P99, 0.5, 1.3);
        Assert.InRange(three.Refused, 0, 0.01);
    }

    // So it was before they knew of each other; and so is the test known to tell the difference.
    [Fact]
    public void Load_WorkersTellNobodyOfOthers_IsServedWorse()
    {
        var fleet = new SimulatedFleet(Workers, 3);
        foreach (var worker in fleet.Workers) worker.IsSilent = true;
        var three = Measure(fleet, Clients, Clients, Clients);
        Assert.InRange(three.Refused, 0.4, 1);
        Assert.InRange(three.Batch, 1, 3);
    }

    [Fact]
    public void Load_AtOneOfThree_UsesAllWorkers()
    {
        var one = Measure(new(Workers, 1), 3 * Clients);
        var fleet = new SimulatedFleet(Workers, 3);
        var uneven = Measure(fleet, 3 * Clients, 0, 0);
        Assert.InRange(uneven.PerSecond / one.PerSecond, 0.95, 1.05);
        Assert.All(fleet.Workers, worker => Assert.True(worker.Texts.Values.Sum() > 0));
    }

    [Fact]
    public void Load_ManyClientsAtOneAndOneElsewhere_TheFewAreNotKeptWaiting()
    {
        var fleet = new SimulatedFleet(Workers, 3);
        Measure(fleet, 3 * Clients, 1, 1);
        var few = fleet.Ended.Where(end => end.By != fleet.Orchestrators[0]).Select(end => end.Took).Order().ToList();
        Assert.InRange(few[few.Count * 99 / 100], 0, 60);
    }

    [Fact]
    public void Load_OwnWorkersDrained_TheOthersServe()
    {
        var fleet = new SimulatedFleet(Workers, 3);
        fleet.Run(2 * Second);
        var without = fleet.Orchestrators[2];
        foreach (var worker in without.State.Workers.All.Where(worker => worker.Ownership is Ownership.Own).ToList()) without.Do(state => state.SetDraining(worker.Name, true));
        Measure(fleet, Clients, Clients, 2);
        var waited = fleet.Ended.Where(end => end.By == without).Select(end => end.Took).Order().ToList();
        Assert.True(waited.Count > 20, $"only {waited.Count} answers");
        Assert.InRange(waited[^1], 0, 3 * Second);
    }

    [Fact]
    public void Death_OfOneOfThree_ItsWorkersAreTheOthersWithinTwoSecondsAndNothingIsLost()
    {
        var fleet = new SimulatedFleet(Workers, 3);
        Measure(fleet, Clients, Clients, Clients);
        Assert.All(fleet.Orchestrators, one => Assert.Equal(new Share(2, 2, 3), one.State.Workers.Share));
        fleet.Orchestrators[2].IsDead = true;
        fleet.Run(Limit);
        Assert.All(fleet.Orchestrators[..2], one => Assert.Equal(new Share(4, 0, 2), one.State.Workers.Share));
        foreach (var worker in fleet.Orchestrators[0].State.Workers.All)
            Assert.NotEqual(worker.Ownership, fleet.Orchestrators[1].State.Workers.Find(worker.Name)!.Ownership);
        var ended = fleet.Ended.Count;
        fleet.Run(5 * Second);
        Assert.InRange(fleet.Ended.Count - ended, 3000, int.MaxValue);
        Assert.All(fleet.Ended, end => Assert.Equal(OutcomeKind.Answered, end.Kind));
    }

    [Fact]
    public void Departure_OfAWorker_DrainsItEverywhereWithinTwoSecondsAndItsWorkIsFinished()
    {
        var fleet = new SimulatedFleet(Workers, 3);
        Measure(fleet, Clients, Clients, Clients);
        var leaving = fleet.Workers.First();
        leaving.Leaving = "spot interruption";
        fleet.Run(Limit);
        foreach (var orchestrator in fleet.Orchestrators)
        {
            var shown = orchestrator.State.Workers.Snapshot()["worker-1"];
            Assert.Equal(("draining", "spot interruption"), (shown.Status, shown.Reason));
        }

        Assert.All(fleet.Orchestrators, one => Assert.Equal(new Share(2, 1, 3), one.State.Workers.Share));
        var texts = leaving.Texts.Values.Sum();
        fleet.Run(5 * Second);
        Assert.Equal(texts, leaving.Texts.Values.Sum());
        Assert.All(fleet.Ended, end => Assert.Equal(OutcomeKind.Answered, end.Kind));

        // A new process at its place says nothing of the kind.
        leaving.Leaving = null;
        fleet.Run(Limit);
        Assert.True(leaving.Texts.Values.Sum() > texts);
    }

    private static Measured Measure(SimulatedFleet fleet, params int[] clients)
    {
        const double Seconds = 8;
        fleet.Run(2 * Second);
        foreach (var (orchestrator, count) in fleet.Orchestrators.Zip(clients)) fleet.AddClients(orchestrator, count);
        fleet.Run(2 * Second);
        var (before, calls, refused) = (fleet.Ended.Count, fleet.Orchestrators.Sum(one => one.Calls), fleet.Orchestrators.Sum(one => one.Refused));
        fleet.Run(Seconds * Second);
        var times = fleet.Ended.Skip(before).Select(end => end.Took).Order().ToList();
        calls = fleet.Orchestrators.Sum(one => one.Calls) - calls;
        refused = fleet.Orchestrators.Sum(one => one.Refused) - refused;
        return new(times.Count / Seconds, times[times.Count * 99 / 100], times.Count / (double)(calls - refused), refused / (double)calls);
    }

    private sealed record Measured(double PerSecond, double P99, double Batch, double Refused);
}
