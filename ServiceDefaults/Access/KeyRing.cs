using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Lab.ServiceDefaults.Access;

/// <summary>Whose key it is, and whether it may change the fleet.</summary>
internal sealed record KeyHolder(string Name, bool IsAdmin);

/// <summary>The keys in force, replaced as a whole whenever the configuration changes.</summary>
internal sealed class KeyRing : IDisposable
{
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

    /// <summary>Finds whose key it is. The time it takes does not depend on which key matches, or how far.</summary>
    public KeyHolder? Find(string key)
    {
        var presented = KeyHash.Of(key);
        KeyHolder? holder = null;
        foreach (var known in Volatile.Read(ref _keys))
            if (CryptographicOperations.FixedTimeEquals(known.Hash, presented)) holder = known.Holder;
        return holder;
    }

    public void Dispose() => _changes?.Dispose();

    private static (byte[], KeyHolder)[] Read(AccessOptions options) =>
    [
        .. options.Keys.Select(key => (Hash(key.Value), new KeyHolder(key.Key, IsAdmin: false))),
        .. options.AdminKeys.Select(key => (Hash(key.Value), new KeyHolder(key.Key, IsAdmin: true))),
    ];

    private static byte[] Hash(string value) => KeyHash.TryParse(value, out var hash) ? hash : [];
}
