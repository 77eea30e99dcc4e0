using System.ComponentModel;

namespace Lab.Bench.Dispatch;

/// <summary>
/// HAProxy as the peer that can also queue: least connections, <c>maxconn 1</c> for each worker, so that a worker never
/// has two requests at a time, and connections to the workers kept and shared.
/// </summary>
internal static class HaproxyProxy
{
    public static async Task<Child?> TryStartAsync(string directory, int port, int firstWorker, int workers)
    {
        var configuration = Path.Combine(directory, "haproxy.cfg");
        var servers = string.Join('\n', Enumerable.Range(0, workers).Select(i => $"  server worker-{i + 1} 127.0.0.1:{firstWorker + i} maxconn 1"));
        await File.WriteAllTextAsync(configuration, $"""
            global
              maxconn 4096
            defaults
              mode http
              option http-keep-alive
              timeout connect 2s
              timeout client 30s
              timeout server 30s
              timeout queue 30s
            frontend clients
              bind 127.0.0.1:{port}
              default_backend workers
            backend workers
              balance leastconn
              http-reuse always
            {servers}

            """);
        try
        {
            return await Child.StartAsync("haproxy", ["-db", "-f", configuration], port);
        }
        catch (Win32Exception)
        {
            Console.Error.WriteLine("haproxy is not installed and left out.");
            return null;
        }
    }
}
