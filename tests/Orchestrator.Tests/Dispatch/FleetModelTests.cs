using Lab.Orchestrator.Dispatch;
using Lab.Orchestrator.Tests.Api;
using Lab.Orchestrator.Tests.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Dispatch;

public sealed class FleetModelTests
{
    private static readonly ModelInfo Old = StubWorker.ModelNamed("model", "01");
    private static readonly ModelInfo New = StubWorker.ModelNamed("model", "02");

    [Fact]
    public void Probed_SameModelEverywhere_AllGetWork()
    {
        var bench = Start(Old, Old, StubWorker.ModelNamed("model", "01"));
        Assert.Equal("free free free", Table(bench));
        Assert.True(bench.State.Workers.Model!.IsSameModel(Old));
    }

    [Fact]
    public void Probed_NobodyTells_AllGetWorkAndTheModelIsUnknown()
    {
        var bench = Start(null, null);
        Assert.Equal("free free", Table(bench));
        Assert.Null(bench.State.Workers.Model);
    }

    [Theory]
    [InlineData("other", "01", "NEGATIVE")]
    [InlineData("model", "02", "NEGATIVE")]
    [InlineData("model", "01", "BAD")]
    public void Probed_AnotherIdOrShaOrLabel_IsQuarantined(string id, string sha, string label)
    {
        var bench = Start(Old, Old, StubWorker.ModelNamed(id, sha, label, "POSITIVE"));
        Assert.Equal("free free quarantined", Table(bench));
    }

    [Fact]
    public void Probed_AnotherMeaningOfScores_IsQuarantined()
    {
        var bench = Start(Old, Old with { ProblemType = ProblemType.SingleLabel }, Old with { ProblemType = ProblemType.MultiLabel });
        Assert.Equal("free free quarantined", Table(bench));
        Assert.Contains("(sha 01, several at once, labels NEGATIVE, POSITIVE)", bench.State.Workers.All.Last().LastError, StringComparison.Ordinal);
    }

    [Fact]
    public void Probed_WrongOneFirst_TheMajorityPutsItOff()
    {
        var bench = Start(New, Old);
        Assert.Equal("free quarantined", Table(bench));
        bench = Start(New, Old, Old);
        Assert.Equal("quarantined free free", Table(bench));
        Assert.True(bench.State.Workers.Model!.IsSameModel(Old));
    }

    [Fact]
    public void Probed_RollingUpdate_ChangesOverAtTheMajorityAndNeverHasNobody()
    {
        var bench = Start(Old, Old, Old, Old);
        var changed = new List<string>();
        foreach (var node in bench.State.Workers.All.ToList())
        {
            bench.State.Workers.Quarantine(node, "restarted");
            bench.State.Probed(node, node.Address, null, New);
            Assert.True(bench.State.Workers.AliveCount > 0);
            changed.Add(Table(bench));
        }

        Assert.Equal(
        [
            "quarantined free free free",
            "quarantined quarantined free free",
            "free free free quarantined",
            "free free free free",
        ], changed);
    }

    [Fact]
    public void Probed_AllOthersDead_TheOneThatIsThereGetsWork()
    {
        var bench = Start(Old, Old, New);
        var nodes = bench.State.Workers.All.ToList();
        bench.State.Workers.Quarantine(nodes[0], "dead");
        bench.State.Workers.Quarantine(nodes[1], "dead");
        bench.State.Probed(nodes[2], nodes[2].Address, null, New);
        Assert.Equal("quarantined quarantined free", Table(bench));
        Assert.True(bench.State.Workers.Model!.IsSameModel(New));
    }

    [Fact]
    public void Tick_QuarantinedForItsModel_IsProbedAgain()
    {
        var bench = Start(Old, Old, New);
        bench.Advance(TimeSpan.FromSeconds(1));
        var probe = Assert.Single(bench.Probes);
        bench.State.Probed(probe, probe.Address, null, Old);
        Assert.Equal("free free free", Table(bench));
    }

    private static DispatchBench Start(params ModelInfo?[] models)
    {
        var bench = new DispatchBench(models.Length, healthy: false);
        foreach (var (i, node) in bench.Probes.ToList().Index())
        {
            bench.Probes.Remove(node);
            bench.State.Probed(node, node.Address, null, models[i]);
        }

        return bench;
    }

    private static string Table(DispatchBench bench) => string.Join(' ', bench.State.Workers.All.Select(worker => worker.Status));
}
