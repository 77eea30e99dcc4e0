namespace Lab.ServiceDefaults.Access;

/// <summary>
/// The section <c>Access</c> of the configuration: who may call. Where it is absent everybody may; as soon as there is
/// anything in it, only those who bring a key. A key's value is the key itself (16 to 256 characters, meant for secret
/// files) or its hash, <c>sha256:</c> and 64 hexadecimal digits. Settings of other names are refused.
/// </summary>
public static class AccessSettings
{
    /// <summary>The section's name.</summary>
    public const string Section = "Access";

    /// <summary>Keys for requests, by the name of whoever holds each (<c>Access__Keys__alice</c>). Several at once allow for rotation.</summary>
    public const string Keys = "Keys";

    /// <summary>Keys for requests and for what changes the fleet (drain, resume), by name.</summary>
    public const string AdminKeys = "AdminKeys";

    /// <summary>Whether everybody may call, whatever else is in the section: <c>true</c> or <c>false</c>. Not beside keys.</summary>
    public const string Anonymous = "Anonymous";

    /// <summary>A directory of secret files whose names are configuration keys (<c>Access__Keys__alice</c>), read again when they change.</summary>
    public const string SecretsDirectory = "SecretsDirectory";

    /// <summary>How many requests per second each key may make in the long run, 0 (the default) for no limit.</summary>
    public const string RequestsPerSecond = "RequestsPerSecond";

    /// <summary>How many requests a key may make at once before that rate holds; 0 (the default) for ten seconds' worth.</summary>
    public const string Burst = "Burst";

    /// <summary>
    /// Where the keys are kept that seal the cookies of pages; by default <c>lab/sessions</c> in the user's directory for
    /// state (XDG Base Directory Specification). Where nothing can be written, a restart ends all sessions.
    /// </summary>
    public const string SessionKeysDirectory = "SessionKeysDirectory";
}
