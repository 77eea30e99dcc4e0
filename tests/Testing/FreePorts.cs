using System.Net;
using System.Net.Sockets;

namespace Lab.Testing;

/// <summary>Ports of the loopback interface on which nobody listens.</summary>
public static class FreePorts
{
    /// <summary>Finds some, all at once, so that none is given twice.</summary>
    /// <param name="count">How many, at least 1.</param>
    public static IReadOnlyList<int> Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.ConvertAll(listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }

    /// <summary>Finds one.</summary>
    public static int Take() => Take(1)[0];
}
