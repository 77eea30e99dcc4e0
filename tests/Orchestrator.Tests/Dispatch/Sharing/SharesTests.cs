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
    public void Divide_AnyFleet_SharesAreEqualAndWhatIsLeftOverIsNobodysAlone() => Fleets.Sample(fleet =>
    {
        var owners = Shares.Divide(fleet.Workers, fleet.Orchestrators);
        var share = fleet.Workers.Length / fleet.Orchestrators.Length;
        return owners.Count == share * fleet.Orchestrators.Length && owners.Keys.All(fleet.Workers.Contains)
            && fleet.Orchestrators.All(id => owners.Values.Count(owner => owner == id) == share);
    });

    [Fact]
    public void Divide_NamesInAnotherOrder_IsTheSame() => Fleets.Sample(fleet =>
    {
        var owners = Shares.Divide(fleet.Workers, fleet.Orchestrators);
        var others = Shares.Divide([.. fleet.Workers.Reverse()], [.. fleet.Orchestrators.Order(StringComparer.Ordinal)]);
        return owners.Count == others.Count && owners.All(owner => others[owner.Key] == owner.Value);
    });

    // Equal shares cannot all stay as they were when one comes: what must leave an orchestrator is what it has too much of.
    [Theory]
    [InlineData(8, 2)]
    [InlineData(8, 3)]
    [InlineData(16, 3)]
    [InlineData(40, 5)]
    public void Divide_OneComesOrGoes_HardlyMoreChangesHandsThanMust(int workers, int orchestrators)
    {
        const int Trials = 300;
        var changed = 0;
        for (var i = 0; i < Trials; i++)
        {
            var names = Names(workers);
            string[] few = [.. Enumerable.Range(0, orchestrators).Select(_ => OrchestratorId.Create())];
            string[] more = [.. few, OrchestratorId.Create()];
            var (before, after) = (Shares.Divide(names, few), Shares.Divide(names, more));
            changed += before.Count(owned => after.GetValueOrDefault(owned.Key) != owned.Value);
        }

        // Per coming or going: of eight workers on average one beyond those that must.
        var must = orchestrators * ((workers / orchestrators) - (workers / (orchestrators + 1)));
        Assert.InRange(changed / (double)Trials, must, must + (workers / 6.0));
    }

    private static string[] Names(int count) => [.. Enumerable.Range(1, count).Select(i => $"worker-{i}")];
}
