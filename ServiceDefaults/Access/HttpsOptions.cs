namespace Lab.ServiceDefaults.Access;

/// <summary>
/// The section <c>Https</c> of the configuration: the certificate of every <c>https://</c> address that the server is
/// told to listen on. Without a certificate it makes a self-signed one and logs its fingerprint.
/// </summary>
public sealed class HttpsOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Https";

    /// <summary>A PEM file with the certificate and, behind it, those of its issuers; <c>null</c> for a self-signed one.</summary>
    public string? CertificatePath { get; set; }

    /// <summary>The PEM file of the private key, unencrypted; <c>null</c> when it stands in the certificate's file.</summary>
    public string? KeyPath { get; set; }

    /// <summary>Where a self-signed certificate is kept from one start to the next; by default the user's own state directory.</summary>
    public string? SelfSignedDirectory { get; set; }

    /// <summary>What becomes of requests that come without TLS.</summary>
    public PlainHttp PlainHttp { get; set; }
}
