using System.Diagnostics.CodeAnalysis;

namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// What the requests that wait or are computed take together, in bytes, and what of it each key takes: where there are
/// several keys none can take all of it. Owned by the dispatcher's loop.
/// </summary>
/// <param name="capacity">How many may wait.</param>
/// <param name="maxBytes">How many bytes they may take.</param>
/// <param name="hasOther">Whether there is anybody but this owner to leave something to.</param>
internal sealed class QueueRoom(int capacity, long maxBytes, Func<string, bool> hasOther)
{
    // The last quarter is for everybody else.
    private const double Share = 0.75;

    private readonly Dictionary<string, (int Count, long Bytes)> _owners = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Whether so many more requests may come.</summary>
    /// <param name="count">How many.</param>
    /// <param name="size">Their bytes.</param>
    /// <param name="owner">Whose they are; empty where no key is needed.</param>
    /// <param name="detail">Why not.</param>
    public bool HasRoom(int count, long size, string owner, [NotNullWhen(false)] out string? detail)
    {
        detail = null;
        if (_bytes + size > maxBytes) detail = "The requests that wait take all the memory there is for them.";
        else if (owner.Length > 0 && hasOther(owner))
        {
            var own = _owners.GetValueOrDefault(owner);
            // A share of less than one is one.
            if (own.Count > 0 && (own.Count + count > Share * capacity || own.Bytes + size > Share * maxBytes))
                detail = "This key's requests take all that one key may have of the queue.";
        }

        return detail is null;
    }

    /// <summary>A request is there.</summary>
    public void Take(QueueEntry entry)
    {
        if (entry.TakesRoom) return;
        entry.TakesRoom = true;
        _bytes += entry.Size;
        if (entry.Owner.Length == 0) return;
        var (count, bytes) = _owners.GetValueOrDefault(entry.Owner);
        _owners[entry.Owner] = (count + 1, bytes + entry.Size);
    }

    /// <summary>A request has ended.</summary>
    public void GiveBack(QueueEntry entry)
    {
        if (!entry.TakesRoom) return;
        entry.TakesRoom = false;
        _bytes -= entry.Size;
        if (entry.Owner.Length == 0) return;
        var (count, bytes) = _owners[entry.Owner];
        if (count == 1) _owners.Remove(entry.Owner);
        else _owners[entry.Owner] = (count - 1, bytes - entry.Size);
    }
}
