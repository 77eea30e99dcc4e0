using System.Net.Sockets;
using System.Text;

namespace Lab.ServiceDefaults.Health;

/// <summary>
/// The verb <c>health</c> of a service's program, for a container's HEALTHCHECK: images without a shell have nothing
/// else to probe with. It asks the process in the same container over a Unix socket, never over TCP: on a network
/// that containers share, the port may be answered by the version that is to be replaced.
/// </summary>
public static class HealthVerb
{
    /// <summary>The variable that lists the server's addresses; the one of the form <c>http://unix:/path</c> is probed.</summary>
    public const string AddressesVariable = "ASPNETCORE_URLS";

    private const string UnixPrefix = "http://unix:";
    private const int TimeoutMilliseconds = 5_000;

    /// <summary>Whether the program was started with this verb and nothing else.</summary>
    public static bool IsAsked(IReadOnlyList<string> arguments) => arguments is ["health"];

    /// <summary>Asks once, and writes a refusal to standard error, where Docker keeps it.</summary>
    /// <param name="path">What is asked, such as <see cref="HealthEndpoints.ReadyPath"/>.</param>
    /// <returns>0 when the answer is 200; 1 when it is another, or there is none within 5 s; 2 when no address is a Unix socket.</returns>
    public static int Run(string path)
    {
        if (SocketPath(Environment.GetEnvironmentVariable(AddressesVariable)) is not { } socketPath)
        {
            Console.Error.WriteLine($"health: {AddressesVariable} names no {UnixPrefix}/path to ask.");
            return 2;
        }

        try
        {
            var answer = Ask(socketPath, path);
            if (answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal)) return 0;
            Console.Error.WriteLine($"health: {answer.ReplaceLineEndings(" ")}");
        }
        catch (SocketException e)
        {
            Console.Error.WriteLine($"health: {socketPath}: {e.Message}");
        }

        return 1;
    }

    /// <summary>The path in the first address that is a Unix socket, or null.</summary>
    internal static string? SocketPath(string? addresses) => addresses?
        .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .FirstOrDefault(address => address.StartsWith(UnixPrefix + '/', StringComparison.Ordinal))?[UnixPrefix.Length..];

    // By the socket itself: a client for HTTP would triple the milliseconds that each probe costs the host.
    private static string Ask(string socketPath, string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.ReceiveTimeout = socket.SendTimeout = TimeoutMilliseconds;
        socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        socket.Send(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        var buffer = new byte[4096];
        var length = 0;
        while (length < buffer.Length && socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None) is > 0 and var read)
            length += read;
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
