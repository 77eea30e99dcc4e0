namespace Lab.AppHost.LocalHost;

/// <summary>The last so many of something, for any number of writers and readers.</summary>
/// <param name="capacity">How many are kept.</param>
internal sealed class Ring<T>(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Queue<T> _items = new();

    /// <summary>How many there have ever been; whoever has seen the last knows by it that there is nothing new.</summary>
    public long Total { get; private set; }

    public void Add(T item)
    {
        lock (_gate)
        {
            if (_items.Count == capacity)
                _items.Dequeue();
            _items.Enqueue(item);
            Total++;
        }
    }

    /// <summary>The oldest first.</summary>
    public T[] ToArray()
    {
        lock (_gate)
            return [.. _items];
    }
}
