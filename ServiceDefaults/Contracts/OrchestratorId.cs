using System.Buffers;
using System.Security.Cryptography;

namespace Lab.ServiceDefaults.Contracts;

/// <summary>By which orchestrators over one fleet tell each other apart: random, another one for each process.</summary>
public static class OrchestratorId
{
    /// <summary>The longest that is taken, in characters.</summary>
    public const int MaxLength = 32;

    private const int RandomBytes = 8;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>A new one, which needs no escaping in an address.</summary>
    public static string Create() => RandomNumberGenerator.GetHexString(2 * RandomBytes, lowercase: true);

    /// <summary>Whether it can be one: 1 to <see cref="MaxLength"/> letters, digits, dashes and underscores.</summary>
    public static bool IsValid(string? id) => id is { Length: > 0 and <= MaxLength } && !id.AsSpan().ContainsAnyExcept(Allowed);
}
