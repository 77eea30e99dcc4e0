using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// The setting <c>Proxies</c>: whose <c>X-Forwarded-*</c> headers are believed. IP addresses and networks (CIDR, RFC 4632)
/// with commas or spaces between them, and <c>unix</c> for whoever calls over a Unix socket; also as a list
/// (<c>Proxies__0</c>). Without it nobody's are.
/// </summary>
public sealed class KnownProxies
{
    /// <summary>The setting's name.</summary>
    public const string Setting = "Proxies";

    private const string UnixSocket = "unix";
    private static readonly char[] Separators = [',', ' ', '\t', '\r', '\n'];

    private readonly List<IPNetwork> _networks = [];
    private bool _takesUnixSockets;

    /// <summary>Reads the setting.</summary>
    /// <exception cref="OptionsValidationException">A part of it is neither an address nor a network.</exception>
    public KnownProxies(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(Setting);
        foreach (var part in section.GetChildren().Prepend(section).SelectMany(setting => (setting.Value ?? "").Split(Separators, StringSplitOptions.RemoveEmptyEntries)))
        {
            if (part.Equals(UnixSocket, StringComparison.OrdinalIgnoreCase)) _takesUnixSockets = true;
            else _networks.Add(NetworkOf(part));
        }
    }

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _networks.Count == 0 && !_takesUnixSockets;

    /// <summary>Where they are.</summary>
    public IReadOnlyList<IPNetwork> Networks => _networks;

    /// <summary>Whether one of them calls from an address; <c>null</c> is a Unix socket's.</summary>
    public bool Contains(IPAddress? address)
    {
        if (address is null) return _takesUnixSockets;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _networks.Exists(network => network.Contains(plain));
    }

    private static IPNetwork NetworkOf(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var host = slash < 0 ? text : text[..slash];
        // Numbers with fewer dots are addresses too, but seldom those that were meant.
        if (!IPAddress.TryParse(host, out var address) || (address.AddressFamily is AddressFamily.InterNetwork && host.Count(character => character == '.') != 3))
            throw Fault($"'{text}' is neither an address nor a network");
        if (slash < 0) return new(address, address.AddressFamily is AddressFamily.InterNetwork ? 32 : 128);
        return IPNetwork.TryParse(text, out var network) ? network
            : throw Fault($"'{text}' is no network: behind the slash stands how many bits of the address count");
    }

    private static OptionsValidationException Fault(string what) => new(Setting, typeof(KnownProxies),
        [$"{Setting}: {what}. Name the proxies whose X-Forwarded-* headers are to be believed, such as 127.0.0.1 or 10.0.0.0/8, or {UnixSocket}, with commas between them."]);
}
