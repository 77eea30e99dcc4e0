using System.Net;
using System.Net.Sockets;

namespace Lab.EndToEnd.Cluster;

/// <summary>Ports of the loopback interface on which nobody listens.</summary>
internal static class FreePorts
{
    /// <summary>Finds some, all at once, so that none is given twice.</summary>
    public static List<int> Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToList();
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }
}
