using System.Net.Security;
using System.Security.Cryptography;

namespace Lab.Bench.Cluster;

/// <summary>Whom to believe to be the orchestrator: whoever has a certificate that this machine trusts, or the one with a known fingerprint.</summary>
internal static class PinnedCertificate
{
    /// <summary>Reads a SHA-256 fingerprint as the orchestrator logs it and as <c>openssl x509 -fingerprint -sha256</c> prints it.</summary>
    /// <param name="text">64 hexadecimal digits, with or without colons.</param>
    /// <returns>32 bytes; <c>null</c> where it is none.</returns>
    public static byte[]? Read(string text)
    {
        var digits = text.Replace(":", "", StringComparison.Ordinal);
        return digits.Length == 2 * SHA256.HashSizeInBytes && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : null;
    }

    /// <summary>How connections judge the certificate they are shown.</summary>
    /// <param name="fingerprint">The one that is believed whoever signed it; <c>null</c> for none.</param>
    public static SslClientAuthenticationOptions Options(byte[]? fingerprint) => new()
    {
        RemoteCertificateValidationCallback = fingerprint is null
            ? null
            : (_, certificate, _, errors) => errors is SslPolicyErrors.None
                || (certificate is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate.GetRawCertData()), fingerprint)),
    };
}
