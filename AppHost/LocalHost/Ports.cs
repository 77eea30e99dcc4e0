using System.Net;
using System.Net.Sockets;
using System.Text;
using Aspire.Hosting.ApplicationModel;

namespace Lab.AppHost.LocalHost;

/// <summary>Gives every endpoint its port, before anything is started.</summary>
internal static class Ports
{
    // Below the ranges from which systems take the ports of outgoing connections: no such connection, the health
    // probes' own included, can sit on a port while its service is down between two starts.
    private const int First = 20_000;
    private const int Count = 10_000;

    /// <summary>Chooses the ports.</summary>
    /// <param name="resources">The resources; those without endpoint are left alone.</param>
    /// <param name="home">Distinguishes one copy of the application on this machine from another.</param>
    /// <returns>What stands in the way, one sentence for each resource whose own port is taken; mostly nothing.</returns>
    public static IReadOnlyList<string> Assign(IEnumerable<ProjectResource> resources, string home)
    {
        var taken = new HashSet<int>();
        var troubles = new List<string>();
        var all = resources.Where(resource => resource.Endpoint is not null).ToList();
        foreach (var resource in all.Where(resource => resource.Endpoint!.WishedPort is not null))
        {
            var port = resource.Endpoint!.Port = resource.Endpoint.WishedPort!.Value;
            if (!taken.Add(port))
                troubles.Add($"{resource.Name} wants port {port}, which another resource has already.");
            else if (!IsFree(port))
                troubles.Add($"{resource.Name} needs port {port}, and another program has it. Stop that program (`ss -ltnp 'sport = :{port}'` shows it) or choose another port: dotnet run --project AppHost -- --{Option(resource.Name)}={port + 1}");
        }

        foreach (var resource in all.Where(resource => resource.Endpoint!.WishedPort is null))
        {
            taken.Add(resource.Endpoint!.Port = Free(home + "\n" + resource.Name, taken));
            if (resource.Endpoint.Port == 0)
                troubles.Add($"{resource.Name} needs a port, and none from {First} to {First + Count - 1} is free.");
        }

        return troubles;
    }

    /// <summary>A free port, or 0 if there is none.</summary>
    /// <param name="name">The same copy of the application finds its workers, and its users the dashboard, at the same address every day.</param>
    /// <param name="taken">What is given away already.</param>
    public static int Free(string name, IReadOnlySet<int> taken)
    {
        var start = Hash(name);
        return Enumerable.Range(0, Count)
            .Select(step => First + (int)((start + (uint)step) % Count))
            .FirstOrDefault(candidate => !taken.Contains(candidate) && IsFree(candidate));
    }

    // As AppHost.cs names the setting of a fixed port.
    private static string Option(string name) => char.ToUpperInvariant(name[0]) + name[1..] + "Port";

    /// <summary>Whether a port can be listened on, in both families as Kestrel does for localhost.</summary>
    public static bool IsFree(int port)
        => CanListen(IPAddress.Loopback, port) && (!Socket.OSSupportsIPv6 || CanListen(IPAddress.IPv6Loopback, port));

    private static bool CanListen(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        // Elsewhere it would also refuse a port whose last connections are merely winding down.
        if (OperatingSystem.IsWindows())
            socket.ExclusiveAddressUse = true;
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static uint Hash(string text)
        => Encoding.UTF8.GetBytes(text).Aggregate(2_166_136_261, (hash, next) => (hash ^ next) * 16_777_619);
}
