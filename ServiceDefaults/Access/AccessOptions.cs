namespace Lab.ServiceDefaults.Access;

/// <summary>
/// The section <c>Access</c> of the configuration: who may call. Without any key everybody may. A key's value is the
/// key itself (16 to 256 characters, meant for secret files) or its hash, <c>sha256:</c> and 64 hexadecimal digits.
/// </summary>
public sealed class AccessOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Access";

    /// <summary>Keys for requests, by the name of whoever holds each. Several at once allow for rotation.</summary>
    public Dictionary<string, string> Keys { get; } = [];

    /// <summary>Keys for requests and for what changes the fleet (drain, resume), by name.</summary>
    public Dictionary<string, string> AdminKeys { get; } = [];

    /// <summary>A directory of secret files whose names are configuration keys (<c>Access__Keys__alice</c>), read again when they change.</summary>
    public string? SecretsDirectory { get; set; }

    /// <summary>How many requests per second each key may make in the long run, 0 for no limit.</summary>
    public int RequestsPerSecond { get; set; }

    /// <summary>How many requests a key may make at once before that rate holds; 0 for ten seconds' worth.</summary>
    public int Burst { get; set; }

    /// <summary>
    /// Where the keys are kept that seal the cookies of pages; <c>null</c> for <c>lab/sessions</c> in the user's
    /// directory for state (XDG Base Directory Specification). Where nothing can be written, a restart ends all sessions.
    /// </summary>
    public string? SessionKeysDirectory { get; set; }

    /// <summary>The first thing wrong with the values, or <c>null</c>.</summary>
    public string? FirstError()
    {
        if (RequestsPerSecond < 0) return $"{Section}:{nameof(RequestsPerSecond)} must be 0 or more.";
        if (Burst < 0) return $"{Section}:{nameof(Burst)} must be 0 or more.";
        if (Keys.Keys.Intersect(AdminKeys.Keys, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } twice)
            return $"The name {twice} stands in both {Section}:{nameof(Keys)} and {Section}:{nameof(AdminKeys)}.";
        return Keys.Concat(AdminKeys)
            .Select(key => KeyHash.TryParse(key.Value, out _) ? null : $"The key of {key.Key} is neither 16 to 256 characters nor sha256: and 64 hexadecimal digits.")
            .FirstOrDefault(error => error is not null);
    }
}
