using System.Collections.Concurrent;

namespace Lab.Orchestrator.Workers;

/// <summary>The connections that rest between two dispatches: at most one to each worker, for none needs more.</summary>
internal sealed class IdleConnections : IDisposable
{
    private readonly ConcurrentDictionary<Uri, Place> _places = new();
    private volatile bool _disposed;

    /// <summary>Takes the connection to an address, if one rests that can still be used.</summary>
    public WorkerConnection? Take(Uri address)
    {
        if (!_places.TryGetValue(address, out var place) || Interlocked.Exchange(ref place.Connection, null) is not { } connection) return null;
        if (connection.IsAlive()) return connection;
        connection.Dispose();
        return null;
    }

    /// <summary>Lets a connection rest after a whole exchange.</summary>
    public void Return(WorkerConnection connection)
    {
        connection.Rest();
        var place = _places.GetOrAdd(connection.Address, _ => new());
        Interlocked.Exchange(ref place.Connection, connection)?.Dispose();
        if (_disposed) Interlocked.Exchange(ref place.Connection, null)?.Dispose();
    }

    /// <summary>Closes what has rested too long, such as the connections of workers that are gone.</summary>
    public void Sweep()
    {
        foreach (var place in _places.Values)
        {
            if (place.Connection is not { } connection || !connection.IsTooOld()) continue;
            if (Interlocked.CompareExchange(ref place.Connection, null, connection) == connection) connection.Dispose();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (var place in _places.Values) Interlocked.Exchange(ref place.Connection, null)?.Dispose();
    }

    private sealed class Place
    {
        public WorkerConnection? Connection;
    }
}
