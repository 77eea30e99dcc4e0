using System.Collections.Concurrent;
using Lab.ServiceDefaults.Contracts;

namespace Lab.Worker.Api;

/// <summary>Who has shown itself to this worker lately, so that orchestrators over one fleet learn of each other.</summary>
/// <param name="time">The clock.</param>
internal sealed class KnownOrchestrators(TimeProvider time)
{
    /// <summary>Who has not shown itself for so long counts no more.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(1.5);

    private readonly ConcurrentDictionary<string, long> _heardAt = new(StringComparer.Ordinal);

    /// <summary>Remembers an orchestrator; one too many is passed over until another has been forgotten.</summary>
    /// <param name="id">Who it is, as <see cref="OrchestratorId.IsValid"/> has it.</param>
    public void Hear(string id)
    {
        if (_heardAt.Count < Presence.MaxOrchestrators || _heardAt.ContainsKey(id)) _heardAt[id] = time.GetTimestamp();
    }

    /// <summary>How many it has heard of lately besides one; 0 if there is none.</summary>
    public int Others()
    {
        var lately = 0;
        foreach (var heard in _heardAt)
            if (time.GetElapsedTime(heard.Value) < Memory) lately++;
        return Math.Max(0, lately - 1);
    }

    /// <summary>Whom it has heard of lately, in order; what is older is forgotten.</summary>
    public IReadOnlyList<string> Lately()
    {
        var lately = new List<string>();
        foreach (var heard in _heardAt)
        {
            if (time.GetElapsedTime(heard.Value) < Memory) lately.Add(heard.Key);
            // Not if it has just been heard of again.
            else _heardAt.TryRemove(heard);
        }

        lately.Sort(StringComparer.Ordinal);
        return lately.Count <= Presence.MaxOrchestrators ? lately : lately[..Presence.MaxOrchestrators];
    }
}
