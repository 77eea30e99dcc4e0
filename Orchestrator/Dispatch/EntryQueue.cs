namespace Lab.Orchestrator.Dispatch;

/// <summary>
/// The waiting entries in order of arrival: a doubly linked list through the entries themselves, so that the client
/// who hangs up leaves the middle of a long queue as cheaply as the head is taken.
/// </summary>
internal sealed class EntryQueue
{
    private QueueEntry? _tail;

    public int Count { get; private set; }

    public QueueEntry? Head { get; private set; }

    /// <summary>
    /// Puts an entry where its arrival belongs: a new one at the tail, a returned one at the head, behind only those
    /// returned ones that came before it. Constant time for a new entry, else linear in the returned ones.
    /// </summary>
    public void Add(QueueEntry entry)
    {
        entry.State = EntryState.Queued;
        Count++;
        if (_tail is null || _tail.Arrival < entry.Arrival)
        {
            Link(_tail, entry, null);
            return;
        }

        var next = Head!;
        while (next.Arrival < entry.Arrival) next = next.Next!;
        Link(next.Previous, entry, next);
    }

    public void Remove(QueueEntry entry)
    {
        if (entry.Previous is null) Head = entry.Next;
        else entry.Previous.Next = entry.Next;
        if (entry.Next is null) _tail = entry.Previous;
        else entry.Next.Previous = entry.Previous;
        entry.Next = entry.Previous = null;
        Count--;
    }

    private void Link(QueueEntry? previous, QueueEntry entry, QueueEntry? next)
    {
        entry.Previous = previous;
        entry.Next = next;
        if (previous is null) Head = entry;
        else previous.Next = entry;
        if (next is null) _tail = entry;
        else next.Previous = entry;
    }
}
