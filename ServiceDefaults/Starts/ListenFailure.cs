using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Lab.ServiceDefaults.Starts;

/// <summary>The server cannot listen at an address: the system's reason, which does not say of which.</summary>
/// <param name="endpoint">Where it was to listen.</param>
/// <param name="reason">The system's.</param>
internal sealed class ListenException(EndPoint endpoint, SocketException reason) : Exception(reason.Message, reason)
{
    /// <summary>Where it was to listen.</summary>
    public EndPoint EndPoint => endpoint;

    /// <summary>Why it cannot.</summary>
    public SocketError Error => reason.SocketErrorCode;
}

/// <summary>Why the server cannot listen where it was told to, and by which setting it was.</summary>
public static class ListenFailure
{
    /// <summary>The first thing wrong with addresses at which other programs are to listen, in one line; null where nothing is.</summary>
    /// <param name="addresses">The setting of each, and its value: one address, several with semicolons between them, or none.</param>
    public static string? FirstFault(params IEnumerable<(string Setting, string? Urls)> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        foreach (var (setting, urls) in addresses)
        {
            foreach (var url in StartChecks.Parts(urls))
            {
                if (StartChecks.FaultOf(url) is { } fault) return $"{setting}: '{url}' {fault}; write it like http://localhost:8000.";
                if (BindingAddress.Parse(url).Port is var port && taken.Contains(port)) return $"{setting}: another program listens on port {port}. End it, or choose another port.";
            }
        }

        return null;
    }

    /// <summary>The setting by which the server is told where to listen, as the person who set it knows it.</summary>
    internal static string Setting(IConfiguration? configuration) =>
        configuration?.GetSection("Kestrel:Endpoints").GetChildren().Any() is true ? "Kestrel:Endpoints"
        : configuration?[WebHostDefaults.ServerUrlsKey] is { Length: > 0 } ? "--urls (ASPNETCORE_URLS)"
        : configuration?[WebHostDefaults.HttpPortsKey] is { Length: > 0 } || configuration?[WebHostDefaults.HttpsPortsKey] is { Length: > 0 } ? "ASPNETCORE_HTTP_PORTS"
        : "--urls (ASPNETCORE_URLS), which is not set";

    /// <summary>One line, or null where something else has failed.</summary>
    internal static string? Explain(Exception failure, IConfiguration? configuration)
    {
        if (Find<AddressInUseException>(failure) is not null)
            // Kestrel's own message has the address.
            return $"{Setting(configuration)}: {failure.Message.TrimEnd('.')}. End the program that listens there, or choose another port.";
        if (Find<ListenException>(failure) is not { } listen) return null;
        return $"{Setting(configuration)}: cannot listen on {listen.EndPoint}: {listen.Message}. {WayOut(listen)}";
    }

    private static string WayOut(ListenException listen) => listen switch
    {
        { EndPoint: UnixDomainSocketEndPoint } => "The socket's directory must exist, and this user must be allowed to write to it.",
        { Error: SocketError.AccessDenied } => "This user may not open ports below 1024: choose a higher one, or allow it (CAP_NET_BIND_SERVICE).",
        { Error: SocketError.AddressNotAvailable } => "It is no address of this machine: 0.0.0.0 stands for all that it has.",
        _ => "Choose another address.",
    };

    private static T? Find<T>(Exception? failure)
        where T : Exception => failure switch
        {
            null => null,
            T found => found,
            AggregateException many => many.InnerExceptions.Select(Find<T>).FirstOrDefault(found => found is not null),
            _ => Find<T>(failure.InnerException),
        };
}
