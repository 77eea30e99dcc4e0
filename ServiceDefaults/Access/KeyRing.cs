using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>Whose key it is, and whether it may change the fleet.</summary>
internal sealed record KeyHolder(string Name, bool IsAdmin)
{
    /// <summary>The holder as the user of a request, made once.</summary>
    public ClaimsPrincipal Principal { get; } = new(new ClaimsIdentity(
        IsAdmin ? [new(ClaimTypes.Name, Name), new(AccessExtensions.ScopeClaim, AccessExtensions.AdminScope)] : [new(ClaimTypes.Name, Name)],
        ApiKeyHandler.SchemeName));
}

/// <summary>The keys in force, replaced as a whole whenever the configuration changes.</summary>
internal sealed class KeyRing : IDisposable
{
    private const string BearerPrefix = "Bearer ";

    private readonly IDisposable? _changes;
    private (byte[] Hash, KeyHolder Holder)[] _keys;

    public KeyRing(IOptionsMonitor<AccessOptions> options)
    {
        _keys = Read(options.CurrentValue);
        _changes = options.OnChange(changed =>
        {
            // A half-written secret must not lock everybody out: what is wrong leaves the old keys in force.
            if (changed.FirstError() is null) Volatile.Write(ref _keys, Read(changed));
        });
    }

    public bool IsEmpty => Volatile.Read(ref _keys).Length == 0;

    /// <summary>The keys in force as one thing: another one as soon as any of them has changed.</summary>
    public object Version => Volatile.Read(ref _keys);

    /// <summary>Finds whose key it is. The time it takes does not depend on which key matches, or how far.</summary>
    public KeyHolder? Find(string key)
    {
        var presented = KeyHash.Of(key);
        KeyHolder? holder = null;
        foreach (var known in Volatile.Read(ref _keys))
            if (CryptographicOperations.FixedTimeEquals(known.Hash, presented)) holder = known.Holder;
        return holder;
    }

    /// <summary>Finds whose key an <c>Authorization</c> header carries (RFC 6750).</summary>
    /// <param name="header">The header's value.</param>
    /// <param name="isBearer">Whether it carries a key at all.</param>
    public KeyHolder? FindBearer(string header, out bool isBearer)
    {
        isBearer = header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase);
        return isBearer ? Find(header[BearerPrefix.Length..].Trim()) : null;
    }

    /// <summary>Finds whose key a session was opened with. Another key under the same name is not that key.</summary>
    /// <param name="mark">What <see cref="MarkOf"/> gave for the key.</param>
    public KeyHolder? FindMark(string mark)
    {
        foreach (var known in Volatile.Read(ref _keys))
            if (MarkOf(known.Hash) == mark) return known.Holder;
        return null;
    }

    /// <summary>What tells a session's key from others, and from which neither the key nor its hash can be had.</summary>
    public static string MarkOf(string key) => MarkOf(KeyHash.Of(key));

    public void Dispose() => _changes?.Dispose();

    private static string MarkOf(byte[] hash) => Convert.ToBase64String(SHA256.HashData([.. "session"u8, .. hash]));

    private static (byte[], KeyHolder)[] Read(AccessOptions options) =>
    [
        .. options.Keys.Select(key => (Hash(key.Value), new KeyHolder(key.Key, IsAdmin: false))),
        .. options.AdminKeys.Select(key => (Hash(key.Value), new KeyHolder(key.Key, IsAdmin: true))),
    ];

    private static byte[] Hash(string value) => KeyHash.TryParse(value, out var hash) ? hash : [];
}
