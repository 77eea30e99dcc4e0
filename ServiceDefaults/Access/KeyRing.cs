using System.Collections.Immutable;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Lab.ServiceDefaults.Access;

/// <summary>Whose key it is, and whether it may change the fleet.</summary>
internal sealed record KeyHolder(string Name, bool IsAdmin)
{
    /// <summary>The holder as the user of a request, made once.</summary>
    public ClaimsPrincipal Principal { get; } = new(new ClaimsIdentity(
        IsAdmin ? [new(ClaimTypes.Name, Name), new(AccessExtensions.ScopeClaim, AccessExtensions.AdminScope)] : [new(ClaimTypes.Name, Name)],
        ApiKeyHandler.SchemeName));
}

/// <summary>
/// The keys in force, and what else is set of <see cref="AccessSettings"/>, replaced as a whole whenever the
/// configuration changes. Nothing that is missing, removed or unreadable ever opens what was closed.
/// </summary>
internal sealed partial class KeyRing : IKeyHolders, IDisposable
{
    private const string BearerPrefix = "Bearer ";

    private readonly IConfiguration _section;
    private readonly SecretsDirectory? _secrets;
    private readonly ILogger _logger;
    private readonly IDisposable _changes;
    private readonly Lock _reading = new();
    private volatile AccessState _state;
    private volatile bool _isRestricted;
    private IReadOnlyList<string> _told = [];

    /// <summary>Reads the configuration, and again whenever it changes.</summary>
    /// <param name="configuration">The service's.</param>
    /// <param name="logger">Takes what cannot be used, and whose keys are in force.</param>
    /// <param name="secrets">Where secret files are read, if they are.</param>
    /// <exception cref="OptionsValidationException">A setting cannot be used. In a secret file it is passed over.</exception>
    public KeyRing(IConfiguration configuration, ILogger<KeyRing> logger, SecretsDirectory? secrets = null)
    {
        _section = configuration.GetSection(AccessSettings.Section);
        _logger = logger;
        _secrets = secrets;
        var faults = new List<AccessFault>();
        _state = AccessState.Read(_section, AccessState.None, faults);
        if (faults.Where(fault => secrets?.Has(fault.Path) != true).Select(fault => fault.Message).ToList() is { Count: > 0 } refused)
            throw new OptionsValidationException(AccessSettings.Section, typeof(AccessSettings), refused);
        _isRestricted = _section.GetChildren().Any();
        Tell(faults);
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    /// <summary>Whether everybody may do everything: nothing has ever been set, or it is set that they may.</summary>
    public bool IsOpen => !_isRestricted || _state.Anonymous;

    /// <summary>What is set.</summary>
    public AccessState State => _state;

    /// <inheritdoc/>
    public bool HasOther(string name) => _state.Keys.Any(key => key.Holder.Name != name);

    /// <summary>Finds whose key it is. The time it takes does not depend on which key matches, or how far.</summary>
    public KeyHolder? Find(string key)
    {
        var presented = KeyHash.Of(key);
        KeyHolder? holder = null;
        foreach (var known in _state.Keys)
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
    /// <param name="mark">What <see cref="MarkOf(string)"/> gave for the key.</param>
    public KeyHolder? FindMark(string mark)
    {
        foreach (var known in _state.Keys)
            if (MarkOf(known.Hash) == mark) return known.Holder;
        return null;
    }

    /// <summary>What tells a session's key from others, and from which neither the key nor its hash can be had.</summary>
    public static string MarkOf(string key) => MarkOf(KeyHash.Of(key));

    public void Dispose() => _changes.Dispose();

    private static string MarkOf(byte[] hash) => Convert.ToBase64String(SHA256.HashData([.. "session"u8, .. hash]));

    private void Reload()
    {
        lock (_reading)
        {
            var faults = new List<AccessFault>();
            var (before, now) = (_state, AccessState.Read(_section, _state, faults));
            // First closed, then the keys: in the other order somebody could slip in between.
            if (_section.GetChildren().Any()) _isRestricted = true;
            _state = now;
            Tell(faults, IsSame(before.Keys, now.Keys));
        }
    }

    private void Tell(List<AccessFault> faults, bool sameKeys = false)
    {
        var messages = faults.Select(fault => fault.Message).Concat(_secrets?.Faults.Values ?? []).ToList();
        // As long as a fault stays it is told once.
        foreach (var message in messages.Except(_told)) LogFault(_logger, message);
        _told = messages;
        if (sameKeys || !_isRestricted || _state.Anonymous) return;
        var admins = _state.Keys.Count(key => key.Holder.IsAdmin);
        if (_state.Keys.IsEmpty) LogNoKeys(_logger);
        else LogKeys(_logger, _state.Keys.Length, admins);
    }

    private static bool IsSame(ImmutableArray<(byte[] Hash, KeyHolder Holder)> one, ImmutableArray<(byte[] Hash, KeyHolder Holder)> other) =>
        one.Length == other.Length && one.All(key => other.Any(known => (known.Holder.Name, known.Holder.IsAdmin) == (key.Holder.Name, key.Holder.IsAdmin) && known.Hash.AsSpan().SequenceEqual(key.Hash)));

    [LoggerMessage(1, LogLevel.Warning, "Passed over: {Fault}")]
    private static partial void LogFault(ILogger logger, string fault);

    [LoggerMessage(2, LogLevel.Warning, "Access is restricted and no key is in force: every request is refused with 401. Set Access__Keys__<name>, or Access__Anonymous=true to let everybody in")]
    private static partial void LogNoKeys(ILogger logger);

    [LoggerMessage(3, LogLevel.Information, "API keys in force: {Count}, of which {Admins} of the admin scope")]
    private static partial void LogKeys(ILogger logger, int count, int admins);
}
