using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Lab.Ec2Deployer.Aws;

/// <summary>
/// Finds the fingerprint of a machine's ed25519 host key in what it wrote to its console: cloud-init prints it between
/// <c>-----BEGIN SSH HOST KEY FINGERPRINTS-----</c> and <c>-----END …-----</c>, each line with whatever prefix the
/// console gave it (<c>ec2: </c>, <c>&lt;14&gt;Nov 24 … cloud-init[512]: </c>), or the whole key in a block of keys.
/// </summary>
internal static partial class ConsoleHostKey
{
    /// <summary><c>SHA256:</c> and base64 without padding, or null where the output has none (yet).</summary>
    /// <remarks>
    /// Only whole blocks count, and of several the first: it is written at the first boot, before anything listens that
    /// could be talked into writing another.
    /// </remarks>
    public static string? Find(string? console)
    {
        if (string.IsNullOrEmpty(console)) return null;
        return Block(console, "SSH HOST KEY FINGERPRINTS") is { } prints && FingerprintLine().Match(prints) is { Success: true } line ? line.Groups[1].Value
            : Block(console, "SSH HOST KEY KEYS") is { } keys && KeyLine().Match(keys) is { Success: true } key ? Fingerprint(key.Groups[1].Value)
            : null;
    }

    /// <summary>EC2 answers in base64; a stand-in or an older SDK may not.</summary>
    public static string Decode(string? output)
    {
        if (string.IsNullOrWhiteSpace(output)) return "";
        var buffer = new byte[output.Length];
        return Convert.TryFromBase64String(output.Trim(), buffer, out var length) ? Encoding.UTF8.GetString(buffer, 0, length) : output;
    }

    /// <summary>The fingerprint of a public key in SSH's wire form, base64.</summary>
    public static string? Fingerprint(string key)
    {
        var bytes = new byte[key.Length];
        return Convert.TryFromBase64String(key, bytes, out var length)
            ? "SHA256:" + Convert.ToBase64String(SHA256.HashData(bytes.AsSpan(0, length))).TrimEnd('=')
            : null;
    }

    private static string? Block(string text, string name)
    {
        var begin = text.IndexOf($"-----BEGIN {name}-----", StringComparison.Ordinal);
        if (begin < 0) return null;
        var end = text.IndexOf($"-----END {name}-----", begin, StringComparison.Ordinal);
        return end < 0 ? null : text[begin..end];
    }

    [GeneratedRegex(@"\b256 (SHA256:[A-Za-z0-9+/]{43}) .*\(ED25519\)")]
    private static partial Regex FingerprintLine();

    [GeneratedRegex(@"\bssh-ed25519 ([A-Za-z0-9+/]+=*)")]
    private static partial Regex KeyLine();
}
