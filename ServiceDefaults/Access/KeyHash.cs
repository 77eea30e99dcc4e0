using System.Security.Cryptography;
using System.Text;

namespace Lab.ServiceDefaults.Access;

/// <summary>
/// The SHA-256 of a key, the only form in which keys are kept and compared. Keys are long and random, unlike
/// passwords, so that a slow hash would add cost and no safety.
/// </summary>
internal static class KeyHash
{
    private const string Prefix = "sha256:";
    private const int MinLength = 16;
    private const int MaxLength = 256;

    /// <summary>Reads a configured value: a hash, or a key to be hashed.</summary>
    public static bool TryParse(string? value, out byte[] hash)
    {
        hash = [];
        // Editors end a secret file with a newline that is no part of the key.
        value = value?.Trim() ?? "";
        if (value.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            var digits = value[Prefix.Length..];
            if (digits.Length != 2 * SHA256.HashSizeInBytes || !digits.All(char.IsAsciiHexDigit)) return false;
            hash = Convert.FromHexString(digits);
            return true;
        }

        if (value.Length is < MinLength or > MaxLength) return false;
        hash = Of(value);
        return true;
    }

    public static byte[] Of(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
