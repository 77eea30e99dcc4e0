using System.Security.Claims;
using System.Security.Cryptography;

namespace Lab.ServiceDefaults.Access;

/// <summary>Who looks at a page, and what they may do.</summary>
/// <param name="Name">The name of the key's holder; empty where no key is needed.</param>
/// <param name="IsAdmin">Whether they may change the fleet.</param>
public sealed record KeySession(string Name, bool IsAdmin);

/// <summary>
/// The sessions of people who look at a page: a key is taken once and remembered by a sealed cookie, which holds no
/// key. A session is as good as its key: it ends when the key is no longer configured, and takes from the same limit. It
/// also ends when its user signs out.
/// </summary>
public sealed class KeySessions
{
    internal const string MarkClaim = "key";
    private const string IdClaim = "session";

    private static readonly KeySession Anybody = new("", IsAdmin: true);
    private readonly KeyRing _keys;
    private readonly KeyLimits _limits;
    private readonly EndedSessions _ended;

    internal KeySessions(KeyRing keys, KeyLimits limits, EndedSessions ended)
    {
        _ended = ended;
        _keys = keys;
        _limits = limits;
    }

    /// <summary>Whether everybody may do everything, without a key.</summary>
    public bool IsOpen => _keys.IsOpen;

    /// <summary>The session of a user, as the keys are configured now; <c>null</c> if they may not look.</summary>
    public KeySession? Find(ClaimsPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        if (IsOpen) return Anybody;
        return user.FindFirst(MarkClaim)?.Value is { } mark && _keys.FindMark(mark) is { } holder
            && user.FindFirst(IdClaim)?.Value is { } id && !_ended.Contains(id)
            ? new(holder.Name, holder.IsAdmin)
            : null;
    }

    /// <summary>Takes one request from the limit of the session's key.</summary>
    /// <returns>Whether there was one left.</returns>
    public bool TrySpend(KeySession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        using var lease = _limits.Limiter.AttemptAcquire(session.Name);
        return lease.IsAcquired;
    }

    /// <summary>Whom a key makes its bearer; <c>null</c> if there is no such key.</summary>
    internal ClaimsPrincipal? Open(string key) => _keys.Find(key) is { } holder
        ? new(new ClaimsIdentity(
            [new(ClaimTypes.Name, holder.Name), new(MarkClaim, KeyRing.MarkOf(key)), new(IdClaim, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)))],
            KeySessionExtensions.Scheme))
        : null;

    /// <summary>Ends a session before its time.</summary>
    internal void End(ClaimsPrincipal user)
    {
        if (user.FindFirst(IdClaim)?.Value is { } id) _ended.Add(id);
    }
}
