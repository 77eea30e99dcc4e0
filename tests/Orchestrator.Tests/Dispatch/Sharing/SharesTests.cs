using CsCheck;
using Lab.Orchestrator.Dispatch;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Orchestrator.Tests.Dispatch.Sharing;

/// <summary>Whose each worker is follows from the names alone.</summary>
public sealed class SharesTests
{
    private static readonly Gen<(string[] Workers, string[] Orchestrators)> Fleets = Gen.Select(
        Gen.Int[0, 40], Gen.String[Gen.Char.AlphaNumeric, 1, 16].HashSet[1, 9],
        (workers, orchestrators) => (Names(workers), orchestrators.ToArray()));

    [Fact]
    public void Divide_AnyFleet_EachWorkerHasOneOwnerAndSharesDifferByOneAtMost() => Fleets.Sample(fleet =>
    {
        var owners = Shares.Divide(fleet.Workers, fleet.Orchestrators);
        var loads = fleet.Orchestrators.Select(id => owners.Values.Count(owner => owner == id)).ToList();
        return owners.Count == fleet.Workers.Length && loads.Sum() == owners.Count && loads.Max() - loads.Min() <= 1;
    });

    [Fact]
    public void Divide_NamesInAnotherOrder_IsTheSame() => Fleets.Sample(fleet =>
    {
        var owners = Shares.Divide(fleet.Workers, fleet.Orchestrators);
        var others = Shares.Divide([.. fleet.Workers.Reverse()], [.. fleet.Orchestrators.Order(StringComparer.Ordinal)]);
        return owners.All(owner => others[owner.Key] == owner.Value);
    });

    // Shares that differ by one at most cannot all stay where they were when one comes: what must move is what the
    // new one gets and what the others have too much of.
    [Theory]
    [InlineData(8, 2)]
    [InlineData(8, 3)]
    [InlineData(16, 3)]
    [InlineData(40, 5)]
    public void Divide_OneComesOrGoes_HardlyMoreMovesThanMust(int workers, int orchestrators)
    {
        const int Trials = 300;
        var (moved, must) = (0, 0);
        for (var i = 0; i < Trials; i++)
        {
            var names = Names(workers);
            string[] few = [.. Enumerable.Range(0, orchestrators).Select(_ => OrchestratorId.Create())];
            string[] more = [.. few, OrchestratorId.Create()];
            var (before, after) = (Shares.Divide(names, few), Shares.Divide(names, more));
            moved += names.Count(name => before[name] != after[name]);
            must += workers / (orchestrators + 1);
        }

        // Per coming or going: of eight workers on average one beyond those that must.
        Assert.InRange(moved / (double)Trials, must / (double)Trials, (must / (double)Trials) + (workers / 6.0));
    }

    private static string[] Names(int count) => [.. Enumerable.Range(1, count).Select(i => $"worker-{i}")];
}
