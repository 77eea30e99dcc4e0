using System.Net.Sockets;
using Lab.ServiceDefaults.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lab.ServiceDefaults.Starts;

/// <summary>Looks at settings of .NET's own before the libraries do, which would take some of them for others or not name them.</summary>
internal static class StartChecks
{
    /// <summary>The names of the levels, in a sentence.</summary>
    public static string LogLevels { get; } = $"{string.Join(", ", Enum.GetNames<LogLevel>()[..^1])} or {nameof(LogLevel.None)}";

    /// <summary>Checks addresses and log levels, and has failures to listen name their address.</summary>
    /// <exception cref="SettingException">One of them cannot be used.</exception>
    public static void AddStartChecks(this WebApplicationBuilder builder)
    {
        CheckAddresses(builder.Configuration);
        CheckLogLevels(builder.Configuration);
        builder.Services.AddOptions<SocketTransportOptions>().PostConfigure(NameTheAddress);
        builder.Services.SilenceFailedStart();
    }

    private static void CheckAddresses(ConfigurationManager configuration)
    {
        var setting = ListenFailure.Setting(configuration);
        foreach (var endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren())
            if (endpoint["Url"] is { } url) CheckAddress(url, $"{endpoint.Path}:Url");
        if (configuration[WebHostDefaults.ServerUrlsKey] is { Length: > 0 } list)
        {
            var urls = Parts(list);
            if (urls.Length == 0) throw new SettingException($"{setting} is '{list}', and names no address; write it like http://localhost:8000, or leave it out.");
            foreach (var url in urls) CheckAddress(url, setting);
            // Kestrel takes a space beside a semicolon for a part of the address.
            configuration[WebHostDefaults.ServerUrlsKey] = string.Join(';', urls);
        }

        foreach (var (key, variable) in (ReadOnlySpan<(string, string)>)[(WebHostDefaults.HttpPortsKey, "ASPNETCORE_HTTP_PORTS"), (WebHostDefaults.HttpsPortsKey, "ASPNETCORE_HTTPS_PORTS")])
            foreach (var port in Parts(configuration[key]))
                if (!ushort.TryParse(port, out _)) throw new SettingException($"{variable} is '{port}'; it must be a port from 0 to 65535, or several with semicolons between them.");
    }

    /// <summary>The addresses of a list.</summary>
    public static string[] Parts(string? list) => list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static void CheckAddress(string url, string setting)
    {
        if (FaultOf(url) is { } fault)
            throw new SettingException($"{setting}: '{url}' {fault}; write it like http://localhost:8000 or https://0.0.0.0:8443, and several with semicolons between them.");
    }

    /// <summary>What is wrong with an address, in words that follow it; null where nothing is.</summary>
    public static string? FaultOf(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            return "is no address to listen on";
        }

        if (!address.Scheme.Equals("http", StringComparison.OrdinalIgnoreCase) && !address.Scheme.Equals("https", StringComparison.OrdinalIgnoreCase)) return "begins with neither http:// nor https://";
        if (address.IsUnixPipe || address.IsNamedPipe) return null;
        if (address.PathBase.Length > 0) return "has a path, of which a server cannot have any";
        // Kestrel takes a port that it cannot read for a part of the host's name, and listens on port 80.
        if (address.Host.Length == 0 || (address.Host.Contains(':', StringComparison.Ordinal) && Uri.CheckHostName(address.Host.Trim('[', ']')) is not UriHostNameType.IPv6)) return "has no host and port that could be read";
        return address.Port is < 0 or > ushort.MaxValue ? "has a port that is not from 0 to 65535" : null;
    }

    private static void CheckLogLevels(ConfigurationManager configuration)
    {
        foreach (var (path, value) in configuration.GetSection("Logging").AsEnumerable())
            if (value is { Length: > 0 } && path.Contains(":LogLevel:", StringComparison.OrdinalIgnoreCase) && !Enum.TryParse<LogLevel>(value, ignoreCase: true, out _))
                throw new SettingException($"{path} is '{value}'; it must be {LogLevels}.");
    }

    private static void NameTheAddress(SocketTransportOptions transport)
    {
        var listen = transport.CreateBoundListenSocket;
        transport.CreateBoundListenSocket = endpoint =>
        {
            try
            {
                return listen(endpoint);
            }
            // One that is taken Kestrel names itself; without IPv6 it tries IPv4 alone.
            catch (SocketException e) when (e.SocketErrorCode is not SocketError.AddressAlreadyInUse)
            {
                throw new ListenException(endpoint, e);
            }
        };
    }
}
