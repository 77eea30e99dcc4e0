using System.Globalization;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Planning;

/// <summary>
/// An SSH server through which hosts are reached that have no way from here. OpenSSH's own client connects to it, so that the
/// user's configuration, agent, known hosts and proxies count.
/// </summary>
/// <param name="User">The user there, or null: as the client's configuration says.</param>
/// <param name="Server">A name, an address, or an alias of the client's configuration.</param>
/// <param name="Port">The port, or null: as the configuration says.</param>
internal sealed partial record Bastion(string? User, string Server, int? Port)
{
    /// <summary>The client.</summary>
    public string Program { get; init; } = "ssh";

    /// <summary>Reads <c>[user@]host[:port]</c>.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static Bastion Parse(string text)
    {
        var match = Pattern().Match(text);
        var port = match.Groups["port"] is { Success: true, Value: var digits } ? int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture) : (int?)null;
        if (!match.Success || port is 0 or > 65535) throw new FormatException("user@host or user@host:port is asked for, or an alias of ~/.ssh/config.");
        return new(match.Groups["user"] is { Success: true, Value: var user } ? user : null, match.Groups["host"].Value, port);
    }

    /// <summary>The client's arguments that make its standard streams a connection to an address behind the bastion.</summary>
    /// <param name="address">The address, as the bastion reaches it.</param>
    /// <param name="port">The port there.</param>
    public IReadOnlyList<string> Arguments(string address, int port) =>
    [
        // Nobody can be asked: several connections are made at once, and beside a display of progress.
        "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "RequestTTY=no",
        "-W", string.Create(CultureInfo.InvariantCulture, $"{address}:{port}"),
        .. Target,
    ];

    /// <summary>The client's arguments that name the bastion.</summary>
    public IReadOnlyList<string> Target =>
        [.. Port is { } own ? ["-p", own.ToString(CultureInfo.InvariantCulture)] : (string[])[], User is null ? Server : $"{User}@{Server}"];

    /// <inheritdoc/>
    public override string ToString() => $"{(User is null ? "" : $"{User}@")}{Server}{(Port is { } port ? $":{port.ToString(CultureInfo.InvariantCulture)}" : "")}";

    // No hyphen first: the client would take it for an option.
    [GeneratedRegex(@"^(?:(?<user>[A-Za-z_][A-Za-z0-9._-]{0,63})@)?(?<host>[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}))(?::(?<port>[0-9]{1,5}))?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
