using System.Text;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// Whose each worker is where several orchestrators share a fleet: rendezvous hashing (Thaler and Ravishankar, "Using
/// name-based mappings to increase hit rates", 1998) with loads bounded such that all shares are equal; what the division
/// leaves over is everybody's. It follows from the names alone, so that all who know the same names come to the same without asking each other, and when
/// one of them comes or goes few workers change hands.
/// </summary>
internal static class Shares
{
    /// <summary>Divides the workers among the orchestrators.</summary>
    /// <param name="workers">The workers' names, each once.</param>
    /// <param name="orchestrators">The orchestrators' ids, each once, at least one; in any order.</param>
    /// <returns>The id of each worker's orchestrator, by the worker's name; those of everybody are missing.</returns>
    public static Dictionary<string, string> Divide(IReadOnlyCollection<string> workers, IReadOnlyCollection<string> orchestrators)
    {
        var share = workers.Count / orchestrators.Count;
        var loads = orchestrators.ToDictionary(id => id, _ => 0, StringComparer.Ordinal);
        var owners = new Dictionary<string, string>(workers.Count, StringComparer.Ordinal);
        foreach (var (worker, orchestrator, _) in Pairs(workers, orchestrators))
        {
            ref var load = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(loads, orchestrator);
            if (load < share && owners.TryAdd(worker, orchestrator)) load++;
        }

        return owners;
    }

    /// <summary>Every pair, the heaviest first: of those with room the one to which a worker weighs most gets it.</summary>
    private static List<(string Worker, string Orchestrator, ulong Weight)> Pairs(IReadOnlyCollection<string> workers, IReadOnlyCollection<string> orchestrators)
    {
        var pairs = new List<(string Worker, string Orchestrator, ulong Weight)>(workers.Count * orchestrators.Count);
        foreach (var worker in workers)
            foreach (var orchestrator in orchestrators)
                pairs.Add((worker, orchestrator, Weight(worker, orchestrator)));
        pairs.Sort((a, b) => a.Weight != b.Weight ? b.Weight.CompareTo(a.Weight)
            : a.Worker != b.Worker ? string.CompareOrdinal(a.Worker, b.Worker)
            : string.CompareOrdinal(a.Orchestrator, b.Orchestrator));
        return pairs;
    }

    // FNV-1a of both names, finished as MurmurHash3 does, since names that differ in their last letter would else weigh
    // nearly the same: a hash that is the same in every process and on every processor.
    private static ulong Weight(string worker, string orchestrator)
    {
        var hash = 14695981039346656037UL;
        Add(worker);
        Add("\0");
        Add(orchestrator);
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdUL;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53UL;
        return hash ^ (hash >> 33);

        void Add(string name)
        {
            foreach (var one in Encoding.UTF8.GetBytes(name)) hash = (hash ^ one) * 1099511628211UL;
        }
    }
}
